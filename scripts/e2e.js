// `npm run test:e2e [-- FILE]`: the suites that need clusters, in the order of their names, against a lab of their own.
// Its state is apart from the checkout's: a mesh that is up from here, in clusters of the user's even, is not touched.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { node24, prepare, root, runToEnd } from './prepare.js';

prepare();
const stateDir = join(root, '.meshwright-e2e');
const env = { MESHWRIGHT_STATE_DIR: stateDir };
const down = () =>
  runToEnd(node24, ['--disable-warning=ExperimentalWarning', join(root, 'cli', 'main.ts'), 'down'], env);
try {
  // What an interrupted run of the suites left.
  down();
  rmSync(stateDir, { recursive: true, force: true });
  process.exitCode = runToEnd(
    process.execPath,
    [join(root, 'scripts', 'jest.js'), 'e2e', '--runInBand', ...process.argv.slice(2)],
    env,
  );
} finally {
  if (down() !== 0) process.exitCode = 1;
  // The logs of a failure stay.
  if (process.exitCode === 0) rmSync(stateDir, { recursive: true, force: true });
}
