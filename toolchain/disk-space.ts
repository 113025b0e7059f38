import { existsSync, statSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { throwIfAny } from '../core/problem.ts';
import type { Problem } from '../core/problem.ts';

/** Room that a folder will need. */
export interface SpaceNeed {
  /** The folder, which need not be there yet. */
  readonly path: string;
  readonly gib: number;
}

/** The file system that a folder is on, or will be on. */
export interface FileSystem {
  readonly device: number;
  readonly freeGib: number;
}

/**
 * Checks before a long work that every file system has room for all that will be written to it.
 * @param work What the room is for, as in `building the tools`.
 * @throws ProblemsError (exit code 2) with each file system that is too small.
 */
export function checkDiskSpace(work: string, needs: readonly SpaceNeed[]): void {
  throwIfAny(spaceProblems(work, needs, fileSystemOf));
}

/** The decision of {@link checkDiskSpace}, apart from looking at the disks. */
export function spaceProblems(
  work: string,
  needs: readonly SpaceNeed[],
  look: (path: string) => FileSystem,
): readonly Problem[] {
  const perDevice = new Map<number, { paths: string[]; gib: number; freeGib: number }>();
  for (const { path, gib } of needs) {
    const { device, freeGib } = look(path);
    const sum = perDevice.get(device) ?? { paths: [], gib: 0, freeGib };
    perDevice.set(device, { paths: [...sum.paths, path], gib: sum.gib + gib, freeGib });
  }
  return [...perDevice.values()]
    .filter(({ gib, freeGib }) => freeGib < gib)
    .map(({ paths, gib, freeGib }) => ({
      where: paths.join(', '),
      what: `not enough disk space for ${work}`,
      received: `${freeGib.toFixed(1)} GiB free`,
      allowed: `at least ${gib.toFixed(1)} GiB`,
      fix: 'free some space, or point XDG_CACHE_HOME (GOCACHE and GOMODCACHE too, if set) to a larger disk',
    }));
}

function fileSystemOf(path: string): FileSystem {
  let existing = path;
  while (!existsSync(existing)) existing = dirname(existing);
  const { bavail, bsize } = statfsSync(existing);
  return { device: statSync(existing).dev, freeGib: (bavail * bsize) / 2 ** 30 };
}
