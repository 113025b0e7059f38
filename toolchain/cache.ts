import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { ProblemsError } from '../core/problem.ts';
import { identify, isAlive } from '../core/process-identity.ts';
import { run } from '../core/run.ts';

/**
 * Where built tools and images are kept for all checkouts of this user: `$XDG_CACHE_HOME/meshwright`, or
 * `~/.cache/meshwright` (XDG Base Directory Specification; a relative value is ignored, as it asks).
 */
export function defaultCacheDir(env: Readonly<Record<string, string | undefined>> = process.env): string {
  const base = env['XDG_CACHE_HOME'];
  return join(base?.startsWith('/') ? base : join(homedir(), '.cache'), 'meshwright');
}

/** A folder in the cache whose name is derived from all that goes into it: once there, it never changes. */
export interface CacheEntry {
  /** Folder that holds entries of its kind. */
  readonly folder: string;
  readonly name: string;
  /** Files that the entry must have, relative to it. One that lacks any of them is made again. */
  readonly holds: readonly string[];
}

/** Whether the entry is there and whole. */
export function isCached(entry: CacheEntry): boolean {
  return entry.holds.every((file) => existsSync(join(entry.folder, entry.name, file)));
}

/**
 * The entry's path, made first when it is not there. It appears as a whole or not at all: an interrupted run leaves
 * only a scratch folder, which the next one removes, and of two runs at once the first to finish wins.
 * @throws ProblemsError (exit code 1) when a file that the entry must have was not made.
 */
export async function cached(entry: CacheEntry, fill: (scratch: string) => Promise<void>): Promise<string> {
  const path = join(entry.folder, entry.name);
  if (isCached(entry)) return path;
  return withScratch(entry.folder, entry.name, async (scratch) => {
    const filled = join(scratch, entry.name);
    mkdirSync(filled);
    await fill(filled);
    for (const file of entry.holds) {
      if (!existsSync(join(filled, file))) {
        throw new ProblemsError([{ where: path, what: `${file} was not made` }], 1);
      }
    }
    await run('sync', ['-f', filled]); // a power cut after the rename must not leave empty files
    publish(entry, filled, scratch);
    return path;
  });
}

function publish(entry: CacheEntry, filled: string, scratch: string): void {
  const path = join(entry.folder, entry.name);
  if (existsSync(path) && !isCached(entry)) renameSync(path, join(scratch, 'damaged'));
  try {
    renameSync(filled, path);
  } catch (error) {
    if (!isCached(entry)) throw error;
  }
}

/** Calls back with a new folder of this process's own, and removes it whatever happens. */
export async function withScratch<T>(
  folder: string,
  label: string,
  use: (scratch: string) => Promise<T>,
): Promise<T> {
  mkdirSync(folder, { recursive: true });
  removeAbandoned(folder);
  const startTime = identify(process.pid)?.startTime ?? '0';
  const scratch = join(folder, `.${label}.${process.pid}-${startTime}-${randomBytes(4).toString('hex')}.tmp`);
  mkdirSync(scratch);
  try {
    return await use(scratch);
  } finally {
    // A program that was just interrupted may still write for a moment.
    rmSync(scratch, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
}

const scratchName = /^\..*\.(\d+)-(\d+)-[0-9a-f]{8}\.tmp$/;

/** Removes the scratch folders of processes that are gone. */
function removeAbandoned(folder: string): void {
  for (const name of readdirSync(folder)) {
    const [, pid, startTime] = scratchName.exec(name) ?? [];
    if (pid === undefined || startTime === undefined) continue;
    if (!isAlive({ pid: Number(pid), startTime }))
      rmSync(join(folder, name), { recursive: true, force: true });
  }
}
