import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { writeFileAtomic } from '../core/files.ts';
import { ProblemsError, throwIfAny } from '../core/problem.ts';
import type { Problem } from '../core/problem.ts';
import { loadAppConfigs } from '../apps/config/app-config.ts';
import type { AppConfig } from '../apps/config/app-config.ts';
import { appImage, buildApp } from './app-image.ts';
import type { Project } from './app-image.ts';
import { bundleApps } from './bundle.ts';

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
  /** Distribution whose packages these are, as its os-release says: `debian-12`. */
  distribution: z.string(),
  /** Its Debian packages: file name with version and architecture, and hash as the signed index gives it. */
  packages: z.record(z.string(), z.strictObject({ file: z.string(), hash: z.string() })),
  layer: layerSchema,
});
const appsSchema = z.record(z.string(), z.strictObject({ tag: z.string(), digest }));
const lockSchema = z.strictObject({ base: baseSchema, apps: appsSchema });

/** What all app images stand on: Node, and the libraries it links to. */
export type LockedBase = z.infer<typeof baseSchema>;

/** Which image each app has, by the app's name. */
export type LockedApps = z.infer<typeof appsSchema>;

/** The content of images.lock.json. */
export type ImagesLock = z.infer<typeof lockSchema>;

/**
 * Reads the lock.
 * @throws ProblemsError when it is not there, or not as it is written
 */
export function readLock(root: string): ImagesLock {
  const path = join(root, lockFile);
  if (!existsSync(path)) {
    const fix = 'take it from version control, or make it anew with npm run images -- --update-base';
    throw new ProblemsError([{ where: lockFile, what: 'the file is missing', fix }]);
  }
  return parseLock(readFileSync(path, 'utf8'));
}

function parseLock(text: string): ImagesLock {
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch {
    throw new ProblemsError([{ where: lockFile, what: 'is no JSON', fix: 'take it from version control' }]);
  }
  const { data, error } = lockSchema.safeParse(content);
  if (data !== undefined) return data;
  throw new ProblemsError(
    error.issues.map(({ path, message }) => ({
      where: [lockFile, path.join('.')].filter((part) => part !== '').join(': '),
      what: message,
      fix: 'take it from version control',
    })),
  );
}

/**
 * The image that the lock has for an app.
 * @throws ProblemsError when it has none, or one of another version
 */
export function lockedImage(
  { apps }: ImagesLock,
  { name, image }: Pick<AppConfig, 'name' | 'image'>,
): LockedApps[string] {
  const locked = apps[name];
  const fix = 'run npm run synth, which locks what the sources make';
  const where = `${lockFile}: apps.${name}`;
  if (locked === undefined)
    throw new ProblemsError([{ where, what: 'the app has no image in the lock', fix }]);
  if (locked.tag.startsWith(`${image.version}-`)) return locked;
  const allowed = `a tag of version ${image.version}, as its config.yml says`;
  throw new ProblemsError([{ where, what: 'is of another version', received: locked.tag, allowed, fix }]);
}

/** The images that the apps' sources make on a base, by bundling them. */
export async function lockApps(root: string, base: LockedBase): Promise<LockedApps> {
  const project = readProject(root);
  const configs = loadAppConfigs(root);
  const bundles = await bundleApps(
    root,
    configs.map(({ directory }) => directory),
  );
  const apps = configs.flatMap((config, index) => {
    const bundle = bundles[index];
    if (bundle === undefined) return [];
    const { tag, digest } = buildApp(appImage(config, bundle, project), base);
    return [[config.name, { tag, digest }] as const];
  });
  return Object.fromEntries(apps);
}

const repository = z.union([z.string(), z.object({ url: z.string() }).transform(({ url }) => url)]);
const projectSchema = z.object({ license: z.string().optional(), repository: repository.optional() });

/** Licence and place of the sources, of the project's package.json. */
export function readProject(root: string): Project {
  const text = readFileSync(join(root, 'package.json'), 'utf8');
  const { license, repository: source } = projectSchema.parse(JSON.parse(text));
  return { ...(license === undefined ? {} : { license }), ...(source === undefined ? {} : { source }) };
}

/**
 * Brings the apps of the lock to what their sources make.
 * @returns Whether the file was written.
 */
export async function refreshLock(root: string): Promise<boolean> {
  const { base } = readLock(root);
  return writeLock(root, { base, apps: await lockApps(root, base) });
}

/** Writes the lock when it differs from what the file holds, and says whether it did. */
export function writeLock(root: string, lock: ImagesLock): boolean {
  const path = join(root, lockFile);
  const text = `${JSON.stringify(lock, null, 2)}\n`;
  if (existsSync(path) && readFileSync(path, 'utf8') === text) return false;
  writeFileAtomic(path, text);
  return true;
}

/**
 * Checks that the lock names the images that the apps' sources make, without building them.
 * @throws ProblemsError naming each app that it does not
 */
export async function checkLock(root: string): Promise<void> {
  const { base, apps } = readLock(root);
  const made = await lockApps(root, base);
  const names = [...new Set([...Object.keys(apps), ...Object.keys(made)])].sort();
  throwIfAny([
    ...nodeProblems(root, base),
    ...names.flatMap((name): readonly Problem[] => {
      const [locked, source] = [apps[name], made[name]];
      if (locked?.digest === source?.digest && locked?.tag === source?.tag) return [];
      return [
        { where: `${lockFile}: apps.${name}`, ...lockProblem(locked !== undefined, source !== undefined) },
      ];
    }),
  ]);
}

const packageSchema = z.object({ version: z.string() });

/** Version of the npm package `node`, which the project and its images run on. */
export function nodeVersion(root: string): string {
  const text = readFileSync(join(root, 'node_modules/node/package.json'), 'utf8');
  return packageSchema.parse(JSON.parse(text)).version;
}

function nodeProblems(root: string, { node }: LockedBase): readonly Problem[] {
  const allowed = nodeVersion(root);
  if (node === allowed) return [];
  const what = 'is not the version that package.json asks for';
  const fix = 'run npm run images -- --update-base, then npm run synth';
  return [{ where: `${lockFile}: base.node`, what, received: node, allowed, fix }];
}

function lockProblem(locked: boolean, source: boolean): Pick<Problem, 'what' | 'fix'> {
  const fix = `run npm run synth and commit ${lockFile} and dist/`;
  if (!locked) return { what: 'the app has no image in the lock', fix };
  return { what: source ? 'the sources make another image' : 'there is no such app', fix };
}
