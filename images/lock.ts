import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { own } from '../core/own.ts';
import { writeFileAtomic } from '../core/files.ts';
import { ProblemsError } from '../core/problem.ts';
import type { AppConfig } from '../apps/config/app-config.ts';

/** The digest lock, beside package-lock.json. */
export const lockFile = 'images.lock.json';

const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/);
const layerSchema = z.strictObject({
  mediaType: z.string(),
  digest,
  size: z.int().positive(),
  diffId: digest,
});
const baseSchema = z.strictObject({
  /** `linux/amd64` */
  platform: z.string().regex(/^linux\/[a-z0-9]+$/),
  /** Version of the npm package `node`. */
  node: z.string(),
  /** Distribution of the packages, from its os-release: `debian-12`. */
  distribution: z.string(),
  /** Its Debian packages: file name with version and architecture, and the hash in the signed index. */
  packages: z.record(z.string(), z.strictObject({ file: z.string(), hash: z.string() })),
  layer: layerSchema,
});
const appsSchema = z.record(z.string(), z.strictObject({ tag: z.string(), digest }));
const lockSchema = z.strictObject({ base: baseSchema, apps: appsSchema });

/** The base of all app images: Node, and the libraries it links to. */
export type LockedBase = z.infer<typeof baseSchema>;

/** The image of each app, by the app's name. */
export type LockedApps = z.infer<typeof appsSchema>;

/** The content of images.lock.json. */
export type ImagesLock = z.infer<typeof lockSchema>;

/**
 * Reads the lock.
 * @throws ProblemsError when it does not exist, or has another form
 */
export function readLock(root: string): ImagesLock {
  const path = join(root, lockFile);
  if (!existsSync(path)) {
    const fix = 'restore it from version control, or create it with npm run images -- --update-base';
    throw new ProblemsError([{ where: lockFile, what: 'the file is missing', fix }]);
  }
  return parseLock(readFileSync(path, 'utf8'));
}

function parseLock(text: string): ImagesLock {
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch {
    throw new ProblemsError([
      { where: lockFile, what: 'is not valid JSON', fix: 'restore it from version control' },
    ]);
  }
  const { data, error } = lockSchema.safeParse(content);
  if (data !== undefined) return data;
  throw new ProblemsError(
    error.issues.map(({ path, message }) => ({
      where: [lockFile, path.join('.')].filter((part) => part !== '').join(': '),
      what: message,
      fix: 'restore it from version control',
    })),
  );
}

/**
 * The image of an app in the lock.
 * @throws ProblemsError when the lock has none, or one with another version
 */
export function lockedImage(
  { apps }: ImagesLock,
  { name, image }: Pick<AppConfig, 'name' | 'image'>,
): LockedApps[string] {
  const locked = own(apps, name);
  const fix = 'run npm run synth, which updates the lock from the sources';
  const where = `${lockFile}: apps.${name}`;
  if (locked === undefined)
    throw new ProblemsError([{ where, what: 'the app has no image in the lock', fix }]);
  if (locked.tag.startsWith(`${image.version}-`)) return locked;
  const allowed = `a tag of version ${image.version}, which its config.yml declares`;
  throw new ProblemsError([{ where, what: 'has another version', received: locked.tag, allowed, fix }]);
}

/** Writes the lock when it differs from what the file holds, and says whether it did. */
export function writeLock(root: string, lock: ImagesLock): boolean {
  const path = join(root, lockFile);
  const text = `${JSON.stringify(lock, null, 2)}\n`;
  if (existsSync(path) && readFileSync(path, 'utf8') === text) return false;
  writeFileAtomic(path, text);
  return true;
}
