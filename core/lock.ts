import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
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
  const self = identify(process.pid);
  const mine = JSON.stringify({
    pid: process.pid,
    startTime: self?.startTime ?? '',
    command,
    since: new Date().toISOString(),
  });
  for (let attempt = 0; attempt < 2; attempt++) {
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
    rmSync(path, { force: true });
  }
  throw new ProblemsError([
    { where: path, what: 'another command took the lock at the same moment', fix: 'run the command again' },
  ]);
}

function create(path: string, content: string): boolean {
  try {
    const file = openSync(path, 'wx', 0o644);
    writeSync(file, content);
    closeSync(file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function readHolder(path: string): z.infer<typeof holderSchema> | undefined {
  try {
    return holderSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    return undefined; // vanished, or cut short by a full disk: nobody holds it
  }
}

function release(path: string, mine: string): void {
  try {
    if (readFileSync(path, 'utf8') === mine) rmSync(path, { force: true });
  } catch {
    // Removed already, with the folder it was in.
  }
}
