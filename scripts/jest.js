// `node scripts/jest.js unit|e2e [jest flags]`: jest on Node 24. `--seed N` draws the order of the unit tests' files.
import { join } from 'node:path';
import { node24, prepare, root, runToEnd } from './prepare.js';
import { removeResults, resultsFile } from './results.js';

prepare();
const [project = 'unit', ...args] = process.argv.slice(2);
removeResults(project);
/** jest gives its runner a seed always: that it is to be shown says that it was asked for. */
const seeded = args.some((arg) => arg.startsWith('--seed'));
process.exitCode = runToEnd(
  node24,
  [
    // jest's own runner, which the suites of test/e2e have, loads ES modules by it.
    ...(project === 'e2e' ? ['--experimental-vm-modules'] : []),
    '--disable-warning=ExperimentalWarning',
    join(root, 'node_modules', 'jest', 'bin', 'jest.js'),
    // jest's own 5 s are for a machine that does nothing else; what has to be quick says so itself.
    `--testTimeout=${project === 'e2e' ? 300_000 : 60_000}`,
    ...(seeded ? ['--showSeed'] : []),
    ...args,
    '--selectProjects',
    project,
    '--json',
    '--outputFile',
    resultsFile(project),
  ],
  { NODE_ENV: 'test' },
);
