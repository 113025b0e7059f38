// `npm test` and `npm run check`: format, lint, types, unit tests, freshness of dist; no cluster, no root.
import { execFileSync, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { node24, prepare, root } from './prepare.js';
import { keepFailedSteps, readResults, removeFailedSteps } from './results.js';

prepare();
removeFailedSteps('unit');
const bin = (name) => join(root, 'node_modules', '.bin', name);
/**
 * The heap, in megabytes, of one that would take all it can get: rules that need types, and types themselves, hold about 1.3 GB after a collection, more with each file. A limit close
 * to that fails on one machine and passes on another; this one leaves room, and with the unit tests 4 GB do for all.
 */
const typed = '--max-old-space-size=2200';

const lint = [typed, bin('eslint'), '--max-warnings', '0'];
/** In one process all files would take more than that. */
const lintedAlone = [['apps'], ['charts', 'core', 'http-rule', 'images']];
const ignoring = (rooms) => rooms.flatMap((room) => ['--ignore-pattern', `${room}/`]);

const unitTests = 'unit tests';

const dist = [
  'dist is fresh',
  node24,
  ['--disable-warning=ExperimentalWarning', join(root, 'cli', 'main.ts'), 'synth', '--check'],
];

/**
 * Two rows, side by side: the unit tests wait for clocks and sockets half of their time, while the others compute. Within
 * a row one step runs after another, so that never more is in memory than the unit tests and one of the others.
 */
const rows = [
  [[unitTests, process.execPath, [join(root, 'scripts', 'jest.js'), 'unit']]],
  [
    ...lintedAlone.map((rooms) => [`lint of ${rooms.join(', ')}`, node24, [...lint, ...rooms]]),
    ['lint of the rest', node24, [...lint, '.', ...ignoring(lintedAlone.flat())]],
    ['types', node24, [typed, bin('tsc'), '--noEmit']],
    ['format', bin('prettier'), ['--check', '--log-level', 'warn', '.']],
    ['protos', bin('buf'), ['lint', 'proto']],
    // A checkout whose sample was deleted renders nothing.
    ...(existsSync(join(root, 'mesh.ts')) ? [dist] : []),
  ],
];

const failed = [];
process.stdout.write(
  `== side by side: ${rows.map((row) => row.map(([title]) => title).join(', ')).join(' | ')}\n`,
);
await Promise.all(
  rows.map(async (row) => {
    for (const [title, command, args] of row) {
      const started = Date.now();
      const { exit, output } = await run(command, args);
      if (exit !== 0) failed.push({ title, output });
      const seconds = ((Date.now() - started) / 1000).toFixed(1);
      // At once, when it has ended: the output of another step never comes between.
      process.stdout.write(
        `== ${title}\n${output}== ${title}: ${exit === 0 ? 'ok' : 'FAILED'}, ${seconds} s\n`,
      );
    }
  }),
);
if (process.argv.includes('--clean-tree')) {
  const changes = execFileSync('git', ['status', '--porcelain'], { cwd: root, encoding: 'utf8' });
  if (changes !== '') {
    process.stdout.write(`== clean tree: FAILED, these files differ from the last commit\n${changes}`);
    failed.push({ title: 'clean tree', output: changes });
  }
}
// The unit tests that failed are told one by one from jest's own results; a run that ended badly with none of them failed is a step.
const told = readResults('unit').failed > 0;
keepFailedSteps(
  'unit',
  failed.filter(({ title }) => title !== unitTests || !told),
);
process.stdout.write(
  failed.length === 0 ? 'check: ok\n' : `check: failed: ${failed.map(({ title }) => title).join(', ')}\n`,
);
process.exitCode = failed.length === 0 ? 0 : 1;

/** Runs a command to its end; returns its exit code, and all it wrote in the order of its writing. */
function run(command, args) {
  const child = spawn(command, args, {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      PATH: `${join(root, 'node_modules', '.bin')}:${process.env.PATH}`,
      ...(process.stdout.isTTY && { FORCE_COLOR: '1' }),
    },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (part) => (output += part));
  return new Promise((resolve) => {
    child.on('error', (error) => resolve({ exit: 1, output: `${command}: ${error.message}\n` }));
    child.on('close', (code) => {
      if (output !== '' && !output.endsWith('\n')) output += '\n';
      resolve({ exit: code ?? 1, output });
    });
  });
}
