import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ProblemsError } from '../core/problem.ts';
import { run } from '../core/run.ts';
import { aptGet } from '../toolchain/packages.ts';

/** A Debian package as the host's package sources offer it now. */
export interface DebianPackage {
  readonly name: string;
  /** File name, with version and architecture. */
  readonly file: string;
  /** Hash that the signed package index gives, as `SHA256:...`. */
  readonly hash: string;
}

/**
 * Looks up packages in the host's package sources, without fetching them or their dependencies. Refreshes the package
 * index when it does not have them.
 * @param scratch A folder to work in; apt-get skips files that already exist in its working folder.
 */
export async function resolvePackages(
  names: readonly string[],
  scratch: string,
  signal?: AbortSignal,
): Promise<ReadonlyMap<string, DebianPackage>> {
  const list = async () => {
    const { stdout } = await run('apt-get', ['download', '--print-uris', ...names], {
      cwd: scratch,
      timeoutMs: 60_000,
      ...(signal === undefined ? {} : { signal }),
    });
    return parsePrintedUris(stdout);
  };
  let found = await list().catch(() => undefined);
  if (found === undefined || names.some((name) => !found?.has(name))) {
    await aptGet(['update', '--quiet'], signal);
    found = await list();
  }
  const missing = names.filter((name) => !found.has(name));
  if (missing.length > 0) {
    throw new ProblemsError([
      {
        where: 'Debian packages for the images',
        what: 'the package sources of this machine do not offer all of them',
        received: missing,
        fix: 'enable the main (on Ubuntu also the universe) component of the distribution',
      },
    ]);
  }
  return found;
}

/** Reads lines of `apt-get download --print-uris`: `'URI' FILE SIZE HASH`. */
export function parsePrintedUris(output: string): Map<string, DebianPackage> {
  const packages = new Map<string, DebianPackage>();
  for (const line of output.split('\n')) {
    const [, file, hash] = /^'[^']*' (\S+) \d+ (\w+:[0-9a-f]+)$/.exec(line.trim()) ?? [];
    const name = file?.split('_')[0];
    if (name !== undefined && file !== undefined && hash !== undefined)
      packages.set(name, { name, file, hash });
  }
  return packages;
}

/** Packages could not be fetched as the package index describes them: the index is older than the mirror. */
export class StaleIndexError extends ProblemsError {}

/** Runs an action with packages, and runs it again with a refreshed index when the index turns out to be stale. */
export async function retryWithFreshIndex<T>(
  action: () => Promise<T>,
  refresh: () => Promise<void>,
): Promise<T> {
  try {
    return await action();
  } catch (error) {
    if (!(error instanceof StaleIndexError)) throw error;
    await refresh();
    return action();
  }
}

/**
 * Fetches packages; apt-get checks them against the signed index.
 * @returns The paths of their files, in the order given.
 * @throws StaleIndexError (exit code 1) when the package sources do not have these packages in these versions.
 */
export async function fetchPackages(
  packages: readonly DebianPackage[],
  folder: string,
  signal?: AbortSignal,
): Promise<readonly string[]> {
  mkdirSync(folder, { recursive: true });
  if (packages.length === 0) return [];
  const names = packages.map(({ name }) => name);
  await run('apt-get', ['-o', 'APT::Sandbox::User=root', 'download', '--quiet', ...names], {
    cwd: folder,
    timeoutMs: 5 * 60_000,
    ...(signal === undefined ? {} : { signal }),
  }).catch((error: unknown) => {
    throw error instanceof ProblemsError ? new StaleIndexError(error.problems, 1) : error;
  });
  const fetched = new Set(readdirSync(folder));
  const other = packages.filter(({ file }) => !fetched.has(file));
  if (other.length > 0) {
    throw new StaleIndexError(
      [
        {
          where: other.map(({ name }) => name).join(', '),
          what: 'the package sources changed while the images were built',
          fix: 'run the command again',
        },
      ],
      1,
    );
  }
  return packages.map(({ file }) => join(folder, file));
}
