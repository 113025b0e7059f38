// `npm test` and `npm run check`: format, lint, types, unit tests, freshness of dist; no cluster, no root.
import { execFileSync, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { node24, prepare, root } from './prepare.js';

prepare();
const bin = (name) => join(root, 'node_modules', '.bin', name);
/** Megabytes for the heap of one that would take all it can get: with the unit tests it stays below 3 GB at once. */
const heap = (megabytes) => `--max-old-space-size=${megabytes}`;

/** Rules that need types hold more in memory with each file: in one process all files take over 2 GB, and a limit ends it. */
const lint = [heap(1250), bin('eslint'), '--max-warnings', '0'];
const lintedAlone = [
  { rooms: ['apps/gateway'] },
  { rooms: ['apps'], without: ['apps/gateway'] },
  { rooms: ['charts/constructs'] },
  { rooms: ['charts', 'core', 'http-rule', 'images'], without: ['charts/constructs'] },
];
const ignoring = (rooms) => rooms.flatMap((room) => ['--ignore-pattern', `${room}/`]);

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
  [['unit tests', process.execPath, [join(root, 'scripts', 'jest.js'), 'unit']]],
  [
    ...lintedAlone.map(({ rooms, without = [] }) => [
      `lint of ${rooms.join(', ')}`,
      node24,
      [...lint, ...rooms, ...ignoring(without)],
    ]),
    ['lint of the rest', node24, [...lint, '.', ...ignoring(lintedAlone.flatMap(({ rooms }) => rooms))]],
    ['types', node24, [heap(1500), bin('tsc'), '--noEmit']],
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
      if (exit !== 0) failed.push(title);
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
    failed.push('clean tree');
  }
}
process.stdout.write(failed.length === 0 ? 'check: ok\n' : `check: failed: ${failed.join(', ')}\n`);
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
