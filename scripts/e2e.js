// `npm run test:e2e [-- FILE]`: the suites that need clusters, against the lab of this checkout, in the order of their
// names. The lab is down before and after, so that the suites see it come and go.
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { node24, prepare, root, runToEnd } from './prepare.js';

prepare();
const meshwright = (command) =>
  runToEnd(node24, ['--disable-warning=ExperimentalWarning', join(root, 'cli', 'main.ts'), command]);
const scratch = mkdtempSync(join(tmpdir(), 'meshwright-e2e-'));
try {
  if (existsSync(join(root, '.meshwright', 'lab.json'))) meshwright('down');
  process.exitCode = runToEnd(
    process.execPath,
    [join(root, 'scripts', 'jest.js'), 'e2e', '--runInBand', ...process.argv.slice(2)],
    {
      MESHWRIGHT_E2E_SCRATCH: scratch,
    },
  );
} finally {
  if (meshwright('down') !== 0) process.exitCode = 1;
  rmSync(scratch, { recursive: true, force: true });
}
