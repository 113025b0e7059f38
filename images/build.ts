import { mkdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { AppConfig } from '../apps/config/app-config.ts';
import { appImage, buildApp } from './app-image.ts';
import { bundleApp } from './bundle.ts';
import { readLock } from './lock.ts';
import type { LockedBase } from './lock.ts';
import { digestOf, imageDocuments } from './oci.ts';
import { projectOf } from './project.ts';
import { referenceOf } from './spec.ts';
import type { ImageSpec } from './spec.ts';
import { cached, withScratch } from '../toolchain/cache.ts';
import { checkDiskSpace } from '../toolchain/disk-space.ts';
import { aptGet } from '../toolchain/packages.ts';
import { formatDuration } from '../toolchain/progress.ts';
import { writeArchive } from './archive.ts';
import type { StoredLayer } from './archive.ts';
import { cachedBase, differences, distribution, nodePackage, platform } from './base.ts';
import type { StoredBase } from './base.ts';
import { fetchPackages, resolvePackages, retryWithFreshIndex } from './debian.ts';
import type { DebianPackage } from './debian.ts';
import { builderIdentity, fileIdentity, imageKey } from './key.ts';
import type { KeyOptions } from './key.ts';
import { writeLayer } from './layer.ts';
import { rememberPackages } from './known-packages.ts';
import { prune } from './prune.ts';
import { sbomOf } from './sbom.ts';
import { istioImages, nodeBase, pauseImage } from './specs.ts';
import type { IstioTools } from './specs.ts';

export interface ImagesOptions {
  /** The project's root. */
  readonly root: string;
  /** Built images are kept in its folder `images`, for all checkouts. See defaultCacheDir. */
  readonly cacheDir: string;
  readonly apps: readonly AppConfig[];
  /** Registry and path of the image references, to which nothing is pushed: `localhost/meshwright`. */
  readonly hub: string;
  /** Istio's images and that of the pause container, of programs as ensureTools gives them. @default - the apps' alone */
  readonly istio?: { readonly tools: IstioTools; readonly tag: string };
  readonly report: (line: string) => void;
  readonly signal?: AbortSignal;
}

export interface BuiltImage {
  readonly name: string;
  /** By tag: `localhost/meshwright/catalog:0.1.0-0123456789ab`. */
  readonly reference: string;
  /** Digest of an app's image in images.lock.json and in pod specifications: `sha256:...`. */
  readonly locked?: string;
  /** Folder with the archive {@link archiveName}, and for an app the bill of materials {@link sbomName}. */
  readonly folder: string;
  /** Digest of the image's configuration, which covers all its layers: `sha256:...`. */
  readonly id: string;
  /** Digest of its manifest: `sha256:...`. */
  readonly digest: string;
  /** Bytes of its layers as a registry stores them. */
  readonly bytes: number;
}

/** An image as an archive that `ctr images import`, `skopeo copy oci-archive:` and `docker load` take. */
export const archiveName = 'image.tar';

/** What an app's image is made of, as CycloneDX JSON. */
export const sbomName = 'sbom.cdx.json';

type BaseOptions = Pick<ImagesOptions, 'root' | 'cacheDir' | 'report' | 'signal'>;

/**
 * The images of the apps, of Istio and of the pause container, as archives: built when anything that goes into them
 * changed, else taken from the cache. Apps are those of images.lock.json, which the caller has brought to what their sources
 * make; where this machine's base is another than the locked one, that is reported.
 * @throws ProblemsError with exit code 2 when an app does not bundle or a package cannot be had, 1 when a build fails.
 */
export async function ensureImages(options: ImagesOptions): Promise<readonly BuiltImage[]> {
  const { istio } = options;
  const images = istio === undefined ? [] : [pauseImage(), ...istioImages(istio.tools, istio.tag)];
  const built = await withBuilder(options, images, async (builder) => {
    const result: BuiltImage[] = [];
    for (const image of images) result.push(await builder.ensure(image, options.hub));
    const base = await lockedBase(options, builder);
    for (const app of options.apps) result.push(await builder.ensureApp(app, options.hub, base));
    return result;
  });
  prune(join(options.cacheDir, 'images'));
  return built;
}

/** The apps' base built from this machine's package sources now, regardless of the lock. */
export async function ensureBase(options: BaseOptions): Promise<LockedBase> {
  const { base } = await withBuilder(options, [], (builder) => builder.base());
  return base;
}

/** The locked base if the cache has it, else the one that this machine builds; reports when that differs. */
async function lockedBase(options: BaseOptions, builder: Builder): Promise<StoredBase> {
  const { base: locked } = readLock(options.root);
  const known = cachedBase(join(options.cacheDir, 'images'), locked);
  if (known !== undefined) return known;
  const here = await builder.base();
  if (here.base.layer.digest !== locked.layer.digest) {
    options.report(
      `images: this machine's base differs from that of images.lock.json (${differences(locked, here.base).join(', ')}): the images ` +
        'built here have other digests and run in the lab under the locked ones; npm run images -- --update-base locks the base of this machine',
    );
  }
  return here;
}

/** Runs `use` with a builder that knows the packages of these images and of the apps' base. */
async function withBuilder<T>(
  options: BaseOptions,
  images: readonly ImageSpec[],
  use: (builder: Builder) => Promise<T>,
): Promise<T> {
  return withScratch(join(options.cacheDir, 'images'), 'build', (scratch) =>
    retryWithFreshIndex(
      async () => use(new Builder(options, scratch, await resolveAll(options, images, scratch))),
      async () => {
        options.report('images: the index of Debian packages is stale, refreshing it');
        await aptGet(['update', '--quiet'], options.signal);
      },
    ),
  );
}

async function resolveAll(
  { cacheDir, signal }: BaseOptions,
  images: readonly ImageSpec[],
  scratch: string,
): Promise<ReadonlyMap<string, DebianPackage>> {
  const all = [...images, nodeBase(...nodePackage())];
  const names = new Set(all.flatMap((image) => [...(image.packages ?? []), ...(image.base?.packages ?? [])]));
  const sorted = [...names].sort();
  return rememberPackages(join(cacheDir, 'images', 'packages.json'), sorted, () =>
    resolvePackages(sorted, scratch, signal),
  );
}

const digest = z.string();
const recordSchema = z.object({ id: digest, digest, bytes: z.number() });
const layerSchema = z.object({ mediaType: z.string(), digest, size: z.number(), diffId: digest });

/** Builds what is missing, in one run. */
class Builder {
  readonly #options: BaseOptions;
  readonly #scratch: string;
  readonly #folder: string;
  readonly #key: Omit<KeyOptions, 'hub'>;

  constructor(options: BaseOptions, scratch: string, packages: ReadonlyMap<string, DebianPackage>) {
    this.#options = options;
    this.#scratch = scratch;
    this.#folder = join(options.cacheDir, 'images');
    this.#key = {
      packages,
      identify: memoize((file) => fileIdentity(file, options.cacheDir)),
      builder: builderIdentity(),
    };
  }

  /** One of the lab's own images. */
  async ensure(image: ImageSpec, hub: string): Promise<BuiltImage> {
    const reference = referenceOf(hub, image);
    const folder = await this.#cached(image, [archiveName, 'image.json'], hub, async (target) => {
      const own = join(this.#scratch, `${image.name}.tar.gz`);
      const base = image.base === undefined ? [] : [await this.#layer(image.base)];
      const layers = [...base, { ...(await this.#write(image, own)), path: own }];
      await this.#archive(target, reference, imageDocuments(image, platform, layers), layers);
      rmSync(own);
    });
    return { name: image.name, reference, folder, ...readJson(folder, 'image.json', recordSchema) };
  }

  /** The apps' base, as this machine builds it. */
  async base(): Promise<StoredBase> {
    const [program, node] = nodePackage();
    const spec = nodeBase(program, node);
    const packages = (spec.packages ?? []).flatMap((name) => {
      const found = this.#key.packages.get(name);
      return found === undefined ? [] : [[name, { file: found.file, hash: found.hash }] as const];
    });
    const { path, ...layer } = await this.#layer(spec);
    const base = {
      platform,
      node,
      distribution: distribution(),
      packages: Object.fromEntries(packages),
      layer,
    };
    return { base, path };
  }

  async ensureApp(app: AppConfig, hub: string, { base, path }: StoredBase): Promise<BuiltImage> {
    const { root } = this.#options;
    const lock = readLock(root);
    const locked = lock.apps[app.name];
    if (locked === undefined) throw new Error(`${app.name} is not in images.lock.json`);
    const build = async () => {
      const bundle = await bundleApp(root, app.directory);
      return { bundle, built: buildApp(appImage(app, bundle, projectOf(root, app.directory)), base) };
    };
    const reference = referenceOf(hub, { name: app.name, tag: locked.tag });
    // On the locked base the lock has the digest already, and only what the cache lacks is bundled.
    const isLocked = base.layer.digest === lock.base.layer.digest;
    const digest = isLocked ? locked.digest : (await build()).built.digest;
    const key = digestOf(`${this.#key.builder} ${reference} ${digest}`).slice(7, 23);
    const entry = {
      folder: this.#folder,
      name: `${app.name}-${key}`,
      holds: [archiveName, sbomName, 'image.json'],
    };
    const folder = await cached(entry, async (target) => {
      const { bundle, built } = await build();
      const sbom = sbomOf(app, built.digest, bundle.packages, base);
      writeFileSync(join(target, sbomName), sbom);
      const layers = [
        { ...base.layer, path },
        { ...built.layer, content: built.archive },
      ];
      await this.#archive(target, reference, built, layers, sbom);
    });
    touch(folder);
    const record = readJson(folder, 'image.json', recordSchema);
    return { name: app.name, reference, locked: locked.digest, folder, ...record };
  }

  /** The layer of a base image. */
  async #layer(image: ImageSpec): Promise<StoredLayer & { readonly path: string }> {
    const folder = await this.#cached(image, ['layer.tar.gz', 'layer.json'], '', async (target) => {
      const layer = await this.#write(image, join(target, 'layer.tar.gz'));
      writeFileSync(join(target, 'layer.json'), `${JSON.stringify(layer)}\n`);
    });
    return { ...readJson(folder, 'layer.json', layerSchema), path: join(folder, 'layer.tar.gz') };
  }

  async #cached(
    image: ImageSpec,
    holds: readonly string[],
    hub: string,
    fill: (target: string) => Promise<void>,
  ): Promise<string> {
    const name = `${image.name}-${imageKey(image, { ...this.#key, hub })}`;
    const folder = await cached({ folder: this.#folder, name, holds }, fill);
    touch(folder);
    return folder;
  }

  async #write(image: ImageSpec, target: string) {
    const { report, signal } = this.#options;
    const started = Date.now();
    checkDiskSpace('building the images', [{ path: this.#scratch, gib: 2 }]);
    report(`images: building ${image.name}`);
    const wanted = (image.packages ?? []).flatMap((name) => this.#key.packages.get(name) ?? []);
    const packages = await fetchPackages(wanted, join(this.#scratch, `${image.name}.debs`), signal);
    const layer = await writeLayer(image, packages, join(this.#scratch, image.name), target, signal);
    const took = formatDuration(Date.now() - started);
    report(`images: built ${image.name}, ${(layer.size / 1e6).toFixed(1)} MB compressed, in ${took}`);
    return layer;
  }

  async #archive(
    target: string,
    reference: string,
    documents: ReturnType<typeof imageDocuments>,
    layers: readonly StoredLayer[],
    sbom?: Uint8Array,
  ): Promise<void> {
    mkdirSync(target, { recursive: true });
    const image = { reference, platform, documents, layers, ...(sbom === undefined ? {} : { sbom }) };
    await writeArchive(image, join(target, archiveName));
    const bytes = layers.reduce((sum, { size }) => sum + size, 0);
    const record = { reference, id: documents.id, digest: documents.digest, bytes };
    writeFileSync(join(target, 'image.json'), `${JSON.stringify(record)}\n`);
  }
}

/** Marks a folder as used now, so that prune keeps it. */
function touch(folder: string): void {
  utimesSync(folder, new Date(), new Date());
}

function readJson<T>(folder: string, file: string, schema: z.ZodType<T>): T {
  return schema.parse(JSON.parse(readFileSync(join(folder, file), 'utf8')));
}

/** Caches results: every image on a base needs the identities of the base's files. */
function memoize<K, V>(compute: (key: K) => V): (key: K) => V {
  const known = new Map<K, V>();
  return (key) => {
    if (!known.has(key)) known.set(key, compute(key));
    return known.get(key) as V;
  };
}
