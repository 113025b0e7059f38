// `npm test` and `npm run check`: format, lint, types, unit tests, freshness of dist; no cluster, no root.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { node24, prepare, root, runToEnd } from './prepare.js';

prepare();
const bin = (name) => join(root, 'node_modules', '.bin', name);
const steps = [
  ['format', bin('prettier'), ['--check', '--log-level', 'warn', '.']],
  ['protos', bin('buf'), ['lint', 'proto']],
  ['lint', bin('eslint'), ['--max-warnings', '0', '.']],
  ['types', bin('tsc'), ['--noEmit']],
  ['unit tests', process.execPath, [join(root, 'scripts', 'jest.js'), 'unit']],
  [
    'dist is fresh',
    node24,
    ['--disable-warning=ExperimentalWarning', join(root, 'cli', 'main.ts'), 'synth', '--check'],
  ],
];
const failed = [];
for (const [title, command, args] of steps) {
  const started = Date.now();
  process.stdout.write(`== ${title}\n`);
  if (runToEnd(command, args) !== 0) failed.push(title);
  process.stdout.write(
    `== ${title}: ${failed.includes(title) ? 'FAILED' : 'ok'}, ${((Date.now() - started) / 1000).toFixed(1)} s\n`,
  );
}
if (process.argv.includes('--clean-tree')) {
  const changes = execFileSync('git', ['status', '--porcelain'], { cwd: root, encoding: 'utf8' });
  if (changes !== '') {
    process.stdout.write(`== clean tree: FAILED, these files differ from the last commit\n${changes}`);
    failed.push('clean tree');
  }
}
process.stdout.write(failed.length === 0 ? 'check: ok\n' : `check: failed: ${failed.join(', ')}\n`);
process.exitCode = failed.length === 0 ? 0 : 1;
