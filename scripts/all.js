// `npm run test:all [-- --again]`: everything there is to run before a change of weight is called done: `npm test`, the
// fuzz tests at length, and every suite that needs clusters with all its cases, the long ones that CI leaves out among
// them. What passed is kept, for as long as the sources stay the same: run again after a failure or an interruption, it
// goes on with the rest. `--again` begins anew.
import { createHash } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inOrder } from '../test/e2e/order.js';
import { endClean, runSuites, startClean } from './lab-suites.js';
import { prepare, root, runToEnd } from './prepare.js';
import { suiteTimes, timesTable } from './suite-times.js';

prepare();
const stateFile = join(root, '.meshwright-all', 'passed.json');
/** Read by the suites that have more cases than CI has time for. */
const everything = { MESHWRIGHT_TEST_ALL: '1' };
const suites = inOrder(readdirSync(join(root, 'test', 'e2e')).filter((name) => name.endsWith('.e2e.ts')));
const steps = [
  { name: 'npm test', run: () => runToEnd(process.execPath, [join(root, 'scripts', 'check.js')]) },
  {
    name: 'fuzz tests at length',
    run: () =>
      runToEnd(
        process.execPath,
        [join(root, 'scripts', 'jest.js'), 'unit', 'apps/gateway/(.*/)?(fuzz|oracle|hostile-exchanges)'],
        {
          MESHWRIGHT_FUZZ_RUNS: '34000',
        },
      ),
  },
  ...suites.map((name) => ({
    name: `test/e2e/${name}`,
    lab: true,
    run: () => runSuites([`test/e2e/${name}`], everything),
  })),
];

/** Of the commit and what differs from it: results of other sources say nothing about these. */
function sourcesHash() {
  const git = (...args) => execFileSync('git', args, { cwd: root, maxBuffer: 256 * 2 ** 20 });
  const hash = createHash('sha256').update(git('rev-parse', 'HEAD')).update(git('diff', 'HEAD'));
  const untracked = git('ls-files', '--others', '--exclude-standard', '-z')
    .toString()
    .split('\0')
    .filter(Boolean);
  for (const file of untracked) hash.update(`${file}\0`).update(readFileSync(join(root, file)));
  return hash.digest('hex');
}

const sources = sourcesHash();
const known = existsSync(stateFile) ? JSON.parse(readFileSync(stateFile, 'utf8')) : {};
const passed = known.sources === sources && !process.argv.includes('--again') ? known.passed : {};

function keep() {
  mkdirSync(join(stateFile, '..'), { recursive: true });
  writeFileSync(`${stateFile}.tmp`, `${JSON.stringify({ sources, passed }, null, 2)}\n`);
  renameSync(`${stateFile}.tmp`, stateFile);
}

const failed = [];
let usesLab = false;
for (const { name, lab = false, run } of steps) {
  if (passed[name] !== undefined) {
    process.stdout.write(`== ${name}: passed before\n`);
    continue;
  }
  if (lab && !usesLab) startClean();
  usesLab ||= lab;
  process.stdout.write(`== ${name}\n`);
  const started = Date.now();
  const code = run();
  const seconds = Math.round((Date.now() - started) / 1000);
  if (code === 0) {
    passed[name] = { seconds, tests: lab ? (suiteTimes('e2e')[0]?.passed ?? 0) : undefined };
    keep();
  } else failed.push(name);
  process.stdout.write(`== ${name}: ${code === 0 ? 'ok' : 'FAILED'}, ${seconds} s\n`);
}
if (usesLab && !endClean(failed.length === 0)) failed.push('the lab was not taken down');
const rows = Object.entries(passed).map(([suite, { seconds, tests = 0 }]) => ({
  suite,
  seconds,
  passed: tests,
  failed: 0,
}));
process.stdout.write(`\n${timesTable(rows)}\n`);
for (const name of failed) process.stdout.write(`FAILED ${name}\n`);
process.stdout.write(
  failed.length === 0 ? 'all passed\n' : 'run it again to continue with what failed and what did not run\n',
);
process.exitCode = failed.length === 0 ? 0 : 1;
