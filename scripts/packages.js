// `npm run packages`: the npm packages of this checkout, on Node 24, after what is missing was installed.
import { join } from 'node:path';
import { node24, prepare, root, runToEnd } from './prepare.js';

prepare();
process.exitCode = runToEnd(node24, [
  '--disable-warning=ExperimentalWarning',
  join(root, 'packaging', 'main.ts'),
  ...process.argv.slice(2),
]);
