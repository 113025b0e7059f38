import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { LockedBase } from './lock.ts';
import { nodeFolder, nodeVersion } from './project.ts';

/** A base of the apps, and the path of its layer. */
export interface StoredBase {
  readonly base: LockedBase;
  readonly path: string;
}

/** Platform that images are built for: this machine's, as the OCI image spec writes it. */
export const platform = `linux/${process.arch === 'x64' ? 'amd64' : process.arch}`;

/** Node's program, of the npm package that the project itself runs on, and its version. */
export function nodePackage(): readonly [program: string, version: string] {
  return [join(nodeFolder(), 'bin/node'), nodeVersion()];
}

/** This machine's distribution, from os-release(5): `debian-12`. */
export function distribution(file = '/etc/os-release'): string {
  const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
  const value = (key: string) => new RegExp(`^${key}="?([^"\\n]*)"?$`, 'm').exec(text)?.[1];
  return `${value('ID') ?? 'linux'}-${value('VERSION_ID') ?? 'unknown'}`;
}

/** The locked base if an earlier build left it in the cache: package sources drop older packages. */
export function cachedBase(folder: string, locked: LockedBase): StoredBase | undefined {
  for (const name of readdirSync(folder).filter((entry) => entry.startsWith('base-node-'))) {
    const record = join(folder, name, 'layer.json');
    if (!existsSync(record)) continue;
    const { digest } = layerSchema.parse(JSON.parse(readFileSync(record, 'utf8')));
    if (digest === locked.layer.digest) return { base: locked, path: join(folder, name, 'layer.tar.gz') };
  }
  return undefined;
}

const layerSchema = z.object({ digest: z.string() });

/** How a base differs from the locked one, each difference in a few words. */
export function differences(locked: LockedBase, here: LockedBase): readonly string[] {
  const pairs: readonly (readonly [string, string | undefined, string | undefined])[] = [
    ['', locked.platform, here.platform],
    ['node ', locked.node, here.node],
    ...Object.keys({ ...locked.packages, ...here.packages }).map(
      (name) => ['', locked.packages[name]?.file, here.packages[name]?.file] as const,
    ),
  ];
  const found = pairs
    .filter(([, before, now]) => before !== now)
    .map(([what, before = 'nothing', now = 'nothing']) => `${what}${now} instead of ${before}`);
  if (found.length > 0) return found;
  return [
    `the same packages with another layout or compression: ${here.layer.digest} instead of ${locked.layer.digest}`,
  ];
}
