// `node scripts/jest.js unit|e2e [jest flags]`: jest as ES modules on Node 24.
import { join } from 'node:path';
import { node24, prepare, root, runToEnd } from './prepare.js';
import { removeResults, resultsFile } from './results.js';

prepare();
const [project = 'unit', ...args] = process.argv.slice(2);
removeResults(project);
process.exitCode = runToEnd(
  node24,
  [
    '--experimental-vm-modules',
    '--disable-warning=ExperimentalWarning',
    join(root, 'node_modules', 'jest', 'bin', 'jest.js'),
    // jest's own 5 s are for a machine that does nothing else; what has to be quick says so itself.
    `--testTimeout=${project === 'e2e' ? 300_000 : 60_000}`,
    ...args,
    '--selectProjects',
    project,
    '--json',
    '--outputFile',
    resultsFile(project),
  ],
  { NODE_ENV: 'test' },
);
