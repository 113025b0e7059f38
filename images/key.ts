import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { isAbsolute, join, relative } from 'node:path';
import { isSource } from '../core/product.ts';
import type { DebianPackage } from './debian.ts';
import { referenceOf } from './spec.ts';
import type { ImageFile, ImageSpec } from './spec.ts';

export interface KeyOptions {
  readonly hub: string;
  /** Versions and hashes of the Debian packages, by name. */
  readonly packages: ReadonlyMap<string, DebianPackage>;
  /** Returns a string that identifies a file's content. */
  readonly identify: (file: ImageFile) => string;
  /** Identifies the code that lays out and builds images. */
  readonly builder: string;
}

/** 16 hex digits, a hash of everything that goes into an image, including its base: equal keys mean equal images. */
export function imageKey(image: ImageSpec, options: KeyOptions): string {
  const { base, packages = [], files = [], ...rest } = image;
  const parts = {
    builder: options.builder,
    reference: referenceOf(options.hub, image),
    base: base === undefined ? null : imageKey(base, options),
    packages: packages.map((name) => {
      const found = options.packages.get(name);
      return [name, found?.file, found?.hash];
    }),
    files: files.map((file) => [file.to, file.mode ?? null, options.identify(file)]),
    rest,
  };
  return sha256(JSON.stringify(parts)).slice(0, 16);
}

/**
 * Identifies a file by its content; a file in the cache by its path there, which already contains a hash of all inputs
 * and whose content never changes.
 */
export function fileIdentity(file: ImageFile, cacheDir: string): string {
  if ('content' in file.from) return sha256(file.from.content);
  const inCache = relative(cacheDir, file.from.path);
  return inCache.startsWith('..') || isAbsolute(inCache) ? sha256(readFileSync(file.from.path)) : inCache;
}

/** In a package, beside the compiled sources: what {@link builderIdentity} was in the checkout that it was made of. */
export const identityFile = 'builder-identity';

/**
 * Hash of the sources that lay out and write images, without tests. A package has that of the checkout it was made of: both
 * share what they built.
 */
export function builderIdentity(): string {
  const folder = import.meta.dirname;
  if (!isSource) return readFileSync(join(folder, identityFile), 'utf8');
  const sources = readdirSync(folder)
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
    .sort()
    .map((name) => `${name}\0${readFileSync(join(folder, name), 'utf8')}`);
  return sha256(sources.join('\0'));
}

function sha256(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}
