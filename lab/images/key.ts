import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { isAbsolute, join, relative } from 'node:path';
import { renderContainerfile } from './containerfile.ts';
import type { DebianPackage } from './debian.ts';
import { referenceOf } from './spec.ts';
import type { ImageFile, ImageSpec } from './spec.ts';

export interface KeyOptions {
  readonly hub: string;
  /** Versions and hashes of the Debian packages, by name. */
  readonly packages: ReadonlyMap<string, DebianPackage>;
  /** Stands for a file's content. */
  readonly identify: (file: ImageFile) => string;
  /** Stands for the code that lays images out and builds them. */
  readonly builder: string;
}

/** 16 hex digits over all that goes into an image, its base included: equal keys mean equal images. */
export function imageKey(image: ImageSpec, options: KeyOptions): string {
  const parts = {
    builder: options.builder,
    reference: referenceOf(options.hub, image),
    base: image.base === undefined ? null : imageKey(image.base, options),
    containerfile: renderContainerfile(options.hub, image),
    packages: (image.packages ?? []).map((name) => {
      const found = options.packages.get(name);
      return [name, found?.file, found?.hash];
    }),
    files: (image.files ?? []).map((file) => [file.to, file.mode ?? null, options.identify(file)]),
    folders: image.folders ?? {},
    links: image.links ?? {},
  };
  return sha256(JSON.stringify(parts)).slice(0, 16);
}

/**
 * Identifies a file by its content; one in the cache by its path there, which already holds a hash of all it was made
 * from and never changes.
 */
export function fileIdentity(file: ImageFile, cacheDir: string): string {
  if ('content' in file.from) return sha256(file.from.content);
  const inCache = relative(cacheDir, file.from.path);
  return inCache.startsWith('..') || isAbsolute(inCache) ? sha256(readFileSync(file.from.path)) : inCache;
}

/** Hash of this folder's own sources, the tests left out. */
export function builderIdentity(): string {
  const folder = import.meta.dirname;
  const sources = readdirSync(folder)
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
    .sort();
  return sha256(sources.map((name) => `${name}\0${readFileSync(join(folder, name), 'utf8')}`).join('\0'));
}

function sha256(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}
