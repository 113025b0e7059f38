// Running the suites that need clusters against a lab of their own. Its state is apart from the checkout's: a mesh that
// is up from here, in clusters of the user's even, is not touched.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { node24, root, runToEnd } from './prepare.js';

const stateDir = join(root, '.meshwright-e2e');
const env = { MESHWRIGHT_STATE_DIR: stateDir };

function down() {
  return runToEnd(
    node24,
    ['--disable-warning=ExperimentalWarning', join(root, 'cli', 'main.ts'), 'down'],
    env,
  );
}

/** Removes what an interrupted run of the suites left. */
export function startClean() {
  down();
  rmSync(stateDir, { recursive: true, force: true });
}

/** Takes the lab down. Its logs stay after a failure. Returns whether all is gone. */
export function endClean(passed) {
  const gone = down() === 0;
  if (gone && passed) rmSync(stateDir, { recursive: true, force: true });
  return gone;
}

/** Runs suites whose path matches one of the words, all without words, and returns jest's exit code. */
export function runSuites(words, more = {}) {
  const args = [join(root, 'scripts', 'jest.js'), 'e2e', '--runInBand', ...words];
  return runToEnd(process.execPath, args, { ...env, ...more });
}
