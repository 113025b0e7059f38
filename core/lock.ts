import { randomBytes } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, rmSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';
import { ProblemsError } from './problem.ts';
import { identify, isAlive } from './process-identity.ts';

const holderSchema = z.object({
  pid: z.number(),
  startTime: z.string(),
  command: z.string(),
  since: z.string(),
});

/** A lock that is held until it is released or its process ends. */
export interface Lock {
  release(): void;
}

/**
 * Takes a lock file for this process. A lock whose process is gone (killed, or the machine restarted) is taken over.
 * @throws ProblemsError (exit code 2) naming the command that holds it.
 */
export function takeLock(path: string, command: string): Lock {
  mkdirSync(dirname(path), { recursive: true });
  const startTime = identify(process.pid)?.startTime ?? '';
  const mine = JSON.stringify({ pid: process.pid, startTime, command, since: new Date().toISOString() });
  for (let attempt = 0; attempt < attempts; attempt++) {
    if (create(path, mine))
      return {
        release: () => {
          release(path, mine);
        },
      };
    const holder = readHolder(path);
    if (holder !== undefined && isAlive(holder)) {
      throw new ProblemsError([
        {
          where: path,
          what: `\`${holder.command}\` is running here (pid ${holder.pid}, since ${holder.since})`,
          allowed: 'one command at a time',
          fix: 'wait until it ends, or stop it with Ctrl-C',
        },
      ]);
    }
    removeStale(path);
    pause(10);
  }
  throw new ProblemsError([
    {
      where: path,
      what: 'cannot take this lock: other processes keep taking it at the same time',
      fix: 'run the command again',
    },
  ]);
}

const attempts = 200;

/** The file appears with its content or not at all: no process ever reads half of it. */
function create(path: string, content: string): boolean {
  const temporary = `${path}.${randomBytes(6).toString('hex')}`;
  writeFileSync(temporary, content, { flag: 'wx' });
  try {
    linkSync(temporary, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    unlinkSync(temporary);
  }
}

/**
 * Removes a lock whose holder is gone. A second lock lets one process at a time do so, and the holder is read again, so
 * that the next holder's new lock is not removed in place of the stale one.
 */
function removeStale(path: string): void {
  const takeover = `${path}.takeover`;
  if (!create(takeover, '')) {
    // Held for microseconds only, unless its holder was killed meanwhile.
    const age = Date.now() - (statSync(takeover, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
    if (age > 10_000) rmSync(takeover, { force: true });
    return;
  }
  try {
    const holder = readHolder(path);
    if (holder === undefined || !isAlive(holder)) rmSync(path, { force: true });
  } finally {
    rmSync(takeover, { force: true });
  }
}

function pause(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

function readHolder(path: string): z.infer<typeof holderSchema> | undefined {
  try {
    return holderSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    return undefined; // gone, or not written by this function: no process holds it
  }
}

function release(path: string, mine: string): void {
  try {
    if (readFileSync(path, 'utf8') === mine) rmSync(path, { force: true });
  } catch {
    // Already removed, together with its folder.
  }
}
