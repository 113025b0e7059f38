import { readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { AppConfig } from '../../apps/config/app-config.ts';
import { run } from '../../core/run.ts';
import { cached, withScratch } from '../host/cache.ts';
import { checkDiskSpace } from '../host/disk-space.ts';
import { aptGet } from '../host/packages.ts';
import { formatDuration } from '../tools/progress.ts';
import { bundleApp } from './bundle.ts';
import { renderContainerfile, stagedRoot } from './containerfile.ts';
import { fetchPackages, resolvePackages, retryWithFreshIndex } from './debian.ts';
import type { DebianPackage } from './debian.ts';
import { buildImage, chooseEngine } from './engine.ts';
import type { Engine } from './engine.ts';
import { builderIdentity, fileIdentity, imageKey } from './key.ts';
import type { KeyOptions } from './key.ts';
import { prune } from './prune.ts';
import { stageRoot } from './rootfs.ts';
import { referenceOf } from './spec.ts';
import type { ImageSpec } from './spec.ts';
import { appImage, istioImages, nodeBase, pauseImage } from './specs.ts';
import type { IstioTools } from './specs.ts';

export interface ImagesOptions {
  /** The project's root. */
  readonly root: string;
  /** Built images are kept in its folder `images`, for all checkouts. See defaultCacheDir. */
  readonly cacheDir: string;
  /** Folder for the log `images.log`. */
  readonly logsDir: string;
  /** Programs for Istio's images, as ensureTools gives them. */
  readonly tools: IstioTools;
  readonly apps: readonly { readonly config: AppConfig; readonly tag: string }[];
  /** Registry and folder of the references; nothing is sent there: `localhost/meshwright`. */
  readonly hub: string;
  readonly istioTag: string;
  readonly report: (line: string) => void;
  readonly signal?: AbortSignal;
}

export interface BuiltImage {
  readonly name: string;
  readonly reference: string;
  /** Path of a docker archive with this one image, as `ctr images import` and `docker load` take it. */
  readonly archive: string;
  /** Digest of the image's configuration, which covers all its layers: `sha256:...`. */
  readonly id: string;
  /** Size of the archive; nothing in it is compressed. */
  readonly bytes: number;
}

/**
 * The images of the apps, of Istio and of the pause container, as archives: built when anything that goes into them
 * changed, else taken from the cache.
 * @throws ProblemsError with exit code 2 when an app does not bundle or a package cannot be had, 1 when a build fails.
 */
export async function ensureImages(options: ImagesOptions): Promise<readonly BuiltImage[]> {
  const folder = join(options.cacheDir, 'images');
  const images = await describeImages(options);
  const built = await withScratch(folder, 'build', async (scratch) => {
    const build = async () => {
      const builder = new Builder(options, scratch, await resolveAll(images, scratch, options.signal));
      const result: BuiltImage[] = [];
      for (const image of images) result.push(await builder.ensure(image));
      return result;
    };
    return retryWithFreshIndex(build, async () => {
      options.report('images: the index of Debian packages is stale, refreshing it');
      await aptGet(['update', '--quiet'], options.signal);
    });
  });
  prune(folder);
  return built;
}

async function describeImages(options: ImagesOptions): Promise<readonly ImageSpec[]> {
  const base = nodeBase(...nodePackage(options.root));
  const apps = await Promise.all(
    options.apps.map(async ({ config, tag }) =>
      appImage(config, tag, await bundleApp(options.root, config.directory), base),
    ),
  );
  return [pauseImage(), ...istioImages(options.tools, options.istioTag), ...apps];
}

/** The program of the `node` npm package, which the project itself runs on, and its version. */
function nodePackage(root: string): readonly [program: string, version: string] {
  const folder = join(root, 'node_modules/node');
  const { version } = packageSchema.parse(JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')));
  return [join(folder, 'bin/node'), version];
}

const packageSchema = z.object({ version: z.string() });

async function resolveAll(
  images: readonly ImageSpec[],
  scratch: string,
  signal?: AbortSignal,
): Promise<ReadonlyMap<string, DebianPackage>> {
  const names = new Set(
    images.flatMap((image) => [...(image.packages ?? []), ...(image.base?.packages ?? [])]),
  );
  return resolvePackages([...names].sort(), scratch, signal);
}

const recordSchema = z.object({ id: z.string(), bytes: z.number() });

/** Builds what is missing, in one run. */
class Builder {
  readonly #options: ImagesOptions;
  readonly #scratch: string;
  readonly #key: KeyOptions;
  #engine: Promise<Engine> | undefined;

  constructor(options: ImagesOptions, scratch: string, packages: ReadonlyMap<string, DebianPackage>) {
    this.#options = options;
    this.#scratch = scratch;
    this.#key = {
      hub: options.hub,
      packages,
      identify: memoize((file) => fileIdentity(file, options.cacheDir)),
      builder: builderIdentity(),
    };
  }

  async ensure(image: ImageSpec): Promise<BuiltImage> {
    const folder = join(this.#options.cacheDir, 'images');
    const entry = {
      folder,
      name: `${image.name}-${imageKey(image, this.#key)}`,
      holds: ['image.tar', 'image.json'],
    };
    const path = await cached(entry, (target) => this.#build(image, target));
    utimesSync(path, new Date(), new Date());
    const record = recordSchema.parse(JSON.parse(readFileSync(join(path, 'image.json'), 'utf8')));
    const reference = referenceOf(this.#options.hub, image);
    return { name: image.name, reference, archive: join(path, 'image.tar'), ...record };
  }

  async #build(image: ImageSpec, target: string): Promise<void> {
    const { hub, report, signal, logsDir } = this.#options;
    const base = image.base === undefined ? undefined : await this.ensure(image.base);
    const reference = referenceOf(hub, image);
    const started = Date.now();
    checkDiskSpace('building the images', [{ path: this.#scratch, gib: 2 }]);
    report(`images: building ${reference}`);
    const context = join(this.#scratch, image.name);
    const wanted = (image.packages ?? []).flatMap((name) => this.#key.packages.get(name) ?? []);
    const packages = await fetchPackages(wanted, join(this.#scratch, `${image.name}.debs`), signal);
    await stageRoot(join(context, stagedRoot), image, packages, signal);
    writeFileSync(join(context, 'Containerfile'), renderContainerfile(hub, image));
    const archive = join(target, 'image.tar');
    this.#engine ??= chooseEngine(this.#scratch, this.#options);
    const request = { context, reference, archive, ...(base === undefined ? {} : { base }) };
    const log = { logFile: join(logsDir, 'images.log'), ...(signal === undefined ? {} : { signal }) };
    await buildImage(await this.#engine, this.#scratch, request, log);
    rmSync(context, { recursive: true });
    const { size } = statSync(archive);
    const record = { reference, id: await imageId(archive), bytes: size };
    writeFileSync(join(target, 'image.json'), `${JSON.stringify(record)}\n`);
    report(
      `images: built ${reference}, ${Math.round(size / 1e6)} MB, in ${formatDuration(Date.now() - started)}`,
    );
  }
}

/** The digest of the configuration in a docker archive's manifest.json (Docker Image Specification v1.2). */
async function imageId(archive: string): Promise<string> {
  const { stdout } = await run('tar', ['--extract', '--to-stdout', '--file', archive, 'manifest.json']);
  const [{ Config }] = manifestSchema.parse(JSON.parse(stdout));
  return `sha256:${/[0-9a-f]{64}/.exec(Config)?.[0] ?? ''}`;
}

const manifestSchema = z.tuple([z.object({ Config: z.string().regex(/[0-9a-f]{64}/) })]);

/** Remembers answers: a base's files are asked for by every image on it. */
function memoize<K, V>(compute: (key: K) => V): (key: K) => V {
  const known = new Map<K, V>();
  return (key) => {
    if (!known.has(key)) known.set(key, compute(key));
    return known.get(key) as V;
  };
}
