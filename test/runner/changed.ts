/** `npm run test:changed`: runs the unit tests that a change touches, and says how many those are. */
import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { importers } from './import-graph.ts';
import { touchedTests } from './touched.ts';

const root = join(import.meta.dirname, '..', '..');
const { base } = parseArgs({ options: { base: { type: 'string', default: 'HEAD' } } }).values;

const git = (...args: readonly string[]) =>
  execFileSync('git', args, { cwd: root, encoding: 'utf8' }).split('\n').filter(Boolean);
const changed = [
  ...git('diff', '--name-only', '--no-renames', base),
  ...git('ls-files', '--others', '--exclude-standard'),
];
const deleted = new Set(git('ls-files', '--deleted'));
const sources = git('ls-files', '--cached', '--others', '--exclude-standard', '*.ts').filter(
  (path) => !deleted.has(path),
);
const generated = readdirSync(join(root, 'gen'), { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.js'))
  .map((path) => `gen/${path}`);
const tests = touchedTests(changed, sources, importers(root, [...sources, ...generated]));
process.stdout.write(
  `${String(changed.length)} files differ from ${base}; ${String(tests.length)} test files are touched\n`,
);
if (tests.length > 0) {
  const jest = join(root, 'scripts', 'jest.js');
  const { status } = spawnSync(process.execPath, [jest, 'unit', '--runTestsByPath', ...tests], {
    stdio: 'inherit',
  });
  process.exitCode = status ?? 1;
}
