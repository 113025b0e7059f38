// `node scripts/run.js COMMAND [flags]`: installs what is missing, then hands over to the TypeScript command on Node 24.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { node24, prepare, root } from './prepare.js';

prepare();
const [command = '', ...args] = process.argv.slice(2);
const child = spawn(
  node24,
  ['--disable-warning=ExperimentalWarning', join(root, 'cli', 'main.ts'), command, ...args],
  {
    cwd: root,
    stdio: 'inherit',
    // Most of a short command's time is the compilation of what it imports: Node keeps that for the next command.
    env: { NODE_COMPILE_CACHE: join(root, 'node_modules', '.cache', 'compile'), ...process.env },
  },
);
// A terminal's Ctrl-C reaches the child by itself, too: asked twice, it stops once.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('exit', (code, signal) => {
  process.exitCode = code ?? (signal ? 130 : 1);
});
