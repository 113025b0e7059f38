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
  },
);
// The terminal's Ctrl-C already reaches the child; a signal sent to this process alone is passed on.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    if (signal !== 'SIGINT') child.kill(signal);
  });
}
child.on('exit', (code, signal) => {
  process.exitCode = code ?? (signal ? 130 : 1);
});
