import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { writeFileAtomic } from '../core/files.ts';
import type { DebianPackage } from './debian.ts';

/** All that apt-get reads to find a package: its indexes and settings, and what is installed. */
const aptSources = ['/var/lib/apt/lists', '/etc/apt', '/var/lib/dpkg/status'];

const recordSchema = z.object({
  key: z.string(),
  packages: z.array(z.object({ name: z.string(), file: z.string(), hash: z.string() })),
});

/**
 * What apt-get said of these packages the last time, where nothing that it reads has changed since: to ask it takes seconds on
 * a busy machine.
 * @param file - where the answer is kept
 * @param ask - asks apt-get
 * @param sources - files and folders that apt-get reads
 */
export async function rememberPackages(
  file: string,
  names: readonly string[],
  ask: () => Promise<ReadonlyMap<string, DebianPackage>>,
  sources: readonly string[] = aptSources,
): Promise<ReadonlyMap<string, DebianPackage>> {
  const before = stamp(names, sources);
  const known = read(file);
  if (known?.key === before) return new Map(known.packages.map((found) => [found.name, found]));
  const found = await ask();
  // Asking may refresh the indexes.
  writeFileAtomic(file, JSON.stringify({ key: stamp(names, sources), packages: [...found.values()] }));
  return found;
}

function read(file: string): z.infer<typeof recordSchema> | undefined {
  try {
    return recordSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return undefined; // none yet, or of another version of this program
  }
}

/** Differs as soon as the names do, or any of the files by path, size or time. */
function stamp(names: readonly string[], sources: readonly string[]): string {
  const files = sources
    .filter((path) => existsSync(path))
    .flatMap((path) =>
      statSync(path).isDirectory()
        ? readdirSync(path, { recursive: true, encoding: 'utf8' }).map((name) => join(path, name))
        : [path],
    )
    .sort();
  const hash = createHash('sha256').update(JSON.stringify(names));
  for (const path of files) {
    const { size, mtimeMs } = statSync(path, { throwIfNoEntry: false }) ?? {};
    hash.update(`\0${path}\0${size ?? ''}\0${mtimeMs ?? ''}`);
  }
  return hash.digest('hex');
}
