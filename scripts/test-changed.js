// `npm run test:changed [-- --base REF]`: the unit tests that a change against HEAD, or against REF, touches.
import { join } from 'node:path';
import { node24, prepare, root, runToEnd } from './prepare.js';

prepare();
process.exitCode = runToEnd(node24, [
  '--disable-warning=ExperimentalWarning',
  join(root, 'test', 'runner', 'changed.ts'),
  ...process.argv.slice(2),
]);
