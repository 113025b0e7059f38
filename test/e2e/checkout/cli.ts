import { spawn, type ChildProcess } from 'node:child_process';
import { constants } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Root of the checkout under test. */
export const root = fileURLToPath(new URL('../../..', import.meta.url)).replace(/\/$/, '');

/** Where the mesh under test keeps its state: a folder of the suites' own. */
export const stateDir = process.env['MESHWRIGHT_STATE_DIR'] ?? join(root, '.meshwright');

export interface Finished {
  /** Exit code; as a shell tells it when a signal ended the program: 128 and the signal's number. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly child: ChildProcess;
  readonly finished: Promise<Finished>;
  /** Resolves when the program has printed text that matches; rejects when it ends without. */
  printed(pattern: RegExp): Promise<void>;
}

/** Starts `npm run COMMAND -- FLAGS` as a user would, in a process group of its own. Its output is shown as it comes. */
export function start(
  command: string,
  flags: readonly string[] = [],
  env: NodeJS.ProcessEnv = {},
  checkout: string = root,
): Running {
  const child = spawn('npm', ['run', '--silent', command, '--', ...flags], {
    cwd: checkout,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NODE_ENV: '', ...env },
  });
  let stdout = '';
  let stderr = '';
  const watchers = new Set<() => void>();
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    stdout += chunk;
    process.stderr.write(chunk);
    for (const watch of watchers) watch();
  });
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    stderr += chunk;
    process.stderr.write(chunk);
    for (const watch of watchers) watch();
  });
  const finished = new Promise<Finished>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      resolve({ code: code ?? 128 + constants.signals[signal ?? 'SIGKILL'], stdout, stderr });
    });
  });
  const printed = (pattern: RegExp) =>
    new Promise<void>((resolve, reject) => {
      const watch = () => {
        if (!pattern.test(stdout + stderr)) return;
        watchers.delete(watch);
        resolve();
      };
      watchers.add(watch);
      watch();
      void finished.then(() => {
        reject(new Error(`${command} ended without printing ${String(pattern)}`));
      });
    });
  return { child, finished, printed };
}

/** Runs `npm run COMMAND -- FLAGS` to its end, in this checkout or another. */
export function npm(
  command: string,
  flags: readonly string[] = [],
  env: NodeJS.ProcessEnv = {},
  checkout: string = root,
): Promise<Finished> {
  return start(command, flags, env, checkout).finished;
}

/** Kills a running command with all that it started in its process group, as a lost terminal or an OOM kill would. */
export async function killHard({ child, finished }: Running): Promise<void> {
  if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  await finished;
}
