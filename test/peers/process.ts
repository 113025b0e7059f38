import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { ProblemsError } from '../../core/problem.ts';
import { waitFor } from '../../core/wait.ts';

/** A program that listens on the loopback interface. */
export interface Peer {
  readonly name: string;
  /** `127.0.0.1:PORT`. */
  readonly address: string;
  readonly pid: number;
  /** Ends it, and waits until it is gone. */
  stop(): Promise<void>;
}

export interface PeerProgram {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** The only processor it may run on. @default - any */
  readonly processor?: number;
  /** The port it is told to listen on. @default - it prints `listening HOST:PORT` */
  readonly port?: number;
  /** File for all it writes, so that nobody has to read along. @default - the last lines are kept for errors */
  readonly logFile?: string;
}

/** How long a program may take to listen, and to end. */
const startMs = 30_000;
const graceMs = 5_000;

/**
 * Starts a program and waits until it takes connections. It ends with this process at the latest: its standard input
 * does.
 * @throws ProblemsError (exit code 1) with its last lines when it ends or does not listen.
 */
export async function startPeer(program: PeerProgram): Promise<Peer> {
  const { name, processor, logFile } = program;
  const pinned = processor === undefined ? [] : ['taskset', '--cpu-list', String(processor)];
  const [command = '', ...args] = [...pinned, program.command, ...program.args];
  const log = logFile === undefined ? undefined : openSync(logFile, 'w');
  const child = spawn(command, args, {
    env: { ...process.env, ...program.env },
    stdio: ['pipe', log ?? 'pipe', log ?? 'pipe'],
  });
  if (log !== undefined) closeSync(log);
  const lines: string[] = [];
  let listening: string | undefined;
  let ended: string | undefined;
  const take = (line: string) => {
    listening ??= /^listening (\S+)$/.exec(line)?.[1];
    lines.push(line);
    if (lines.length > 20) lines.shift();
  };
  for (const stream of [child.stdout, child.stderr])
    if (stream !== null) createInterface({ input: stream }).on('line', take);
  child.stdin?.on('error', () => undefined); // it may end before we do
  child.once('error', (error) => (ended = error.message));
  child.once('exit', (code, signal) => (ended = `ended with ${signal ?? `exit code ${code ?? ''}`}`));
  const end = () => child.kill('SIGKILL');
  process.once('exit', end);
  const stop = async () => {
    process.off('exit', end);
    if (ended !== undefined) return;
    const gone = once(child, 'exit');
    child.kill('SIGTERM');
    const impatience = setTimeout(end, graceMs);
    await gone;
    clearTimeout(impatience);
  };
  const said = () => logFile ?? lines.join(' | ');
  const fail = () => new ProblemsError([{ where: name, what: `${ended ?? ''}: ${said()}` }], 1);
  try {
    const address = await waitFor(
      { what: `${name} listening`, timeoutMs: startMs, intervalMs: 25, whereToLook: said },
      async () => {
        if (ended !== undefined) throw fail();
        const at = listening ?? (program.port === undefined ? undefined : `127.0.0.1:${program.port}`);
        if (at !== undefined && (await accepts(at))) return { done: true, value: at };
        return { done: false, because: 'it takes no connections' };
      },
    );
    return { name, address, pid: child.pid ?? 0, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function accepts(address: string): Promise<boolean> {
  const socket = connect({ host: '127.0.0.1', port: Number(address.split(':').at(-1)) });
  const patience = new AbortController();
  try {
    return await Promise.race([
      once(socket, 'connect').then(() => true),
      sleep(1000, false, { signal: patience.signal }),
    ]);
  } catch {
    return false;
  } finally {
    patience.abort();
    socket.destroy();
  }
}
