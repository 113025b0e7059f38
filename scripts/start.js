// Plain JavaScript for any Node from 18 on.
import { spawn } from 'node:child_process';

/**
 * Runs a command of the command line on a Node that can run it, with this terminal, and ends as it ends.
 * @param {string} node - the Node program
 * @param {string} main - the command line's first file
 * @param {readonly string[]} args
 * @param {{cwd?: string, compileCache: string}} options
 */
export function start(node, main, args, { cwd, compileCache }) {
  const child = spawn(node, ['--disable-warning=ExperimentalWarning', main, ...args], {
    cwd,
    stdio: 'inherit',
    // Most of a short command's time is the compilation of what it imports: Node keeps that for the next command.
    // INIT_CWD is where the user is, as npm tells it: paths of flags are relative to that.
    env: { NODE_COMPILE_CACHE: compileCache, INIT_CWD: process.cwd(), ...process.env },
  });
  // A terminal's Ctrl-C reaches the child by itself, too: asked twice, it stops once.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => {
    process.stderr.write(`${node}: ${error.message}; install Node 24 or newer, and run the command again\n`);
    process.exitCode = 1;
  });
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? (signal ? 130 : 1);
  });
}
