import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { ProblemsError } from './problem.ts';

export interface RunOptions {
  readonly cwd?: string;
  /** Environment variables, added to those of this process. */
  readonly env?: Readonly<Record<string, string>>;
  /** Written to the program's standard input, which is otherwise empty. Secrets go here, never into arguments. */
  readonly input?: string | Uint8Array;
  /** File that stdout and stderr are appended to as they arrive. */
  readonly logFile?: string;
  /** Time limit in milliseconds, after which the program is killed. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  /** Called with each whole line of stdout or stderr, to report progress. */
  readonly onLine?: (line: string) => void;
  /** Exit codes that count as success. @default [0] */
  readonly okCodes?: readonly number[];
}

export interface RunResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs a program to its end, without a shell.
 * @throws ProblemsError (exit code 1) with the program's last lines when it cannot start, fails or takes too long.
 */
export async function run(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<RunResult> {
  const log = options.logFile === undefined ? undefined : openLog(options.logFile);
  try {
    return await runLogged(command, args, options, log);
  } finally {
    if (log !== undefined) closeSync(log);
  }
}

function openLog(path: string): number {
  mkdirSync(dirname(path), { recursive: true });
  return openSync(path, 'a');
}

/** How long an interrupted program may take to clean up before it is killed. */
const graceMs = 5_000;

function runLogged(
  command: string,
  args: readonly string[],
  options: RunOptions,
  log: number | undefined,
): Promise<RunResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    // Settle only when the program has ended, so that nothing still runs when the caller goes on.
    let impatience: NodeJS.Timeout | undefined;
    const abort = () => {
      child.kill('SIGTERM');
      impatience = setTimeout(() => child.kill('SIGKILL'), graceMs);
    };
    options.signal?.addEventListener('abort', abort, { once: true });
    if (options.signal?.aborted) abort();
    const settle = () => {
      clearTimeout(timer);
      clearTimeout(impatience);
      options.signal?.removeEventListener('abort', abort);
    };
    let stdout = '';
    let stderr = '';
    let partial = '';
    let timedOut = false;
    const timer =
      options.timeoutMs === undefined
        ? undefined
        : setTimeout(() => {
            timedOut = true;
            child.kill('SIGKILL');
          }, options.timeoutMs);
    const take = (chunk: string) => {
      if (log !== undefined) writeSync(log, chunk);
      if (options.onLine === undefined) return;
      const lines = (partial + chunk).split('\n');
      partial = lines.pop() ?? '';
      for (const line of lines) options.onLine(line);
    };
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      stdout += chunk;
      take(chunk);
    });
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      stderr += chunk;
      take(chunk);
    });
    child.stdin.on('error', () => undefined); // the program may end before it has read its input
    child.stdin.end(options.input ?? '');
    child.on('error', (error) => {
      if (child.pid !== undefined) return; // it was started: 'close' follows
      settle();
      reject(failure(command, args, error.message, stderr || stdout, options));
    });
    child.on('close', (code, signal) => {
      settle();
      if (options.signal?.aborted) {
        reject(options.signal.reason as Error);
        return;
      }
      if (code !== null && (options.okCodes ?? [0]).includes(code)) resolve({ code, stdout, stderr });
      else {
        const ended = timedOut
          ? `took longer than ${Math.round((options.timeoutMs ?? 0) / 1000)} s`
          : `ended with ${code === null ? String(signal) : `exit code ${code}`}`;
        reject(failure(command, args, ended, stderr || stdout, options));
      }
    });
  });
}

function failure(
  command: string,
  args: readonly string[],
  ended: string,
  output: string,
  options: RunOptions,
): ProblemsError {
  const tail = output.trim().split('\n').slice(-5).join(' | ');
  return new ProblemsError(
    [
      {
        where: [command, ...args].join(' ').slice(0, 200),
        what: `${ended}${tail === '' ? '' : `: ${tail}`}`,
        ...(options.logFile === undefined ? {} : { fix: `look at ${options.logFile}` }),
      },
    ],
    1,
  );
}
