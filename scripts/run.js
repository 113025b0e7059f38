// `node scripts/run.js COMMAND [flags]`: installs what is missing, then hands over to the TypeScript command on Node 24.
import { join } from 'node:path';
import { node24, prepare, root } from './prepare.js';
import { start } from './start.js';

prepare();
const [command = '', ...args] = process.argv.slice(2);
start(node24, join(root, 'cli', 'main.ts'), [command, ...args], {
  cwd: root,
  compileCache: join(root, 'node_modules', '.cache', 'compile'),
});
