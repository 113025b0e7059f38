import { createHash } from 'node:crypto';
import type { ImageSpec } from './spec.ts';

/** A reference to a blob (OCI image spec, "Content Descriptors"). */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

/** A layer of an image: how it is stored, and the digest of its archive before it was compressed. */
export interface Layer extends Descriptor {
  readonly diffId: string;
}

/** Media types of the OCI image spec 1.1. */
export const mediaTypes = {
  index: 'application/vnd.oci.image.index.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar',
  gzipLayer: 'application/vnd.oci.image.layer.v1.tar+gzip',
} as const;

/** An image's two documents, and the digests that identify it. */
export interface ImageDocuments {
  readonly config: Uint8Array;
  readonly manifest: Uint8Array;
  /** Digest of the configuration, which covers the layers' contents: `sha256:...`. */
  readonly id: string;
  /** Digest of the manifest, which a reference pins: `sha256:...`. */
  readonly digest: string;
}

/** As `sha256:` and 64 hex digits. */
export function digestOf(bytes: string | Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

export function describe(mediaType: string, bytes: Uint8Array): Descriptor {
  return { mediaType, digest: digestOf(bytes), size: bytes.length };
}

/** The only timestamp in an image: reproducible builds cannot use the present time. */
const created = '1970-01-01T00:00:00Z';

/** The default of container runtimes. */
const defaultPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/**
 * Configuration and manifest of an image: the same bytes for the same arguments.
 * @param platform `linux/amd64`
 * @param layers From the lowest
 */
export function imageDocuments(
  spec: Omit<ImageSpec, 'tag'>,
  platform: string,
  layers: readonly Layer[],
): ImageDocuments {
  const [os, architecture] = platform.split('/');
  const labels = sorted(spec.labels ?? {});
  const config = json({
    created,
    architecture,
    os,
    config: {
      ...(spec.user === undefined ? {} : { User: spec.user }),
      ...(spec.ports === undefined
        ? {}
        : { ExposedPorts: Object.fromEntries(spec.ports.map((port) => [`${port}/tcp`, {}])) }),
      Env: Object.entries({ PATH: defaultPath, ...spec.environment }).map(
        ([name, value]) => `${name}=${value}`,
      ),
      ...(spec.entrypoint === undefined ? {} : { Entrypoint: spec.entrypoint }),
      ...(spec.command === undefined ? {} : { Cmd: spec.command }),
      WorkingDir: spec.workingDirectory ?? '/',
      Labels: labels,
    },
    rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
    history: layers.map((_, index) => ({
      created,
      created_by:
        index === layers.length - 1 ? `meshwright: ${spec.name}` : `meshwright: ${spec.base?.name ?? 'base'}`,
    })),
  });
  const manifest = json({
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config: describe(mediaTypes.config, config),
    layers: layers.map(({ mediaType, digest, size }) => ({ mediaType, digest, size })),
    annotations: labels,
  });
  return { config, manifest, id: digestOf(config), digest: digestOf(manifest) };
}

function sorted(record: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** A document of the image spec as it is stored. */
export function json(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}
