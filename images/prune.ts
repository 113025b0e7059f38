import { readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** An image in the cache. */
export interface CachedImage {
  /** Its folder's name: the image's name, a hyphen and its key. */
  readonly folder: string;
  /** When it was last used, in milliseconds since the epoch. */
  readonly usedAt: number;
}

const keepOfEach = 3;
const keepForMs = 60 * 60_000;

/** The images to remove: of each name all but the three used last, and none that was used within the last hour. */
export function outdated(images: readonly CachedImage[], now: number): readonly string[] {
  const byName = Map.groupBy(images, ({ folder }) => folder.slice(0, folder.lastIndexOf('-')));
  return [...byName.values()].flatMap((group) =>
    group
      .toSorted((a, b) => b.usedAt - a.usedAt)
      .slice(keepOfEach)
      .filter(({ usedAt }) => now - usedAt > keepForMs)
      .map(({ folder }) => folder),
  );
}

/** Removes images that were not used lately: every change of an app leaves one behind. */
export function prune(folder: string): void {
  const images = readdirSync(folder)
    .filter((name) => /^[^.].*-[0-9a-f]{16}$/.test(name))
    .map((name) => ({ folder: name, usedAt: statSync(join(folder, name)).mtimeMs }));
  for (const name of outdated(images, Date.now())) {
    rmSync(join(folder, name), { recursive: true, force: true });
  }
}
