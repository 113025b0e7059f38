import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { describe, json, mediaTypes } from './oci.ts';
import type { Descriptor, ImageDocuments, Layer } from './oci.ts';
import { tarChunks } from './tar.ts';
import type { TarEntry } from './tar.ts';

/** A layer, and where its bytes are. */
export type StoredLayer = Layer & ({ readonly path: string } | { readonly content: Uint8Array });

/** An image to be written as an archive. */
export interface ArchivedImage {
  readonly reference: string;
  readonly platform: string;
  readonly documents: ImageDocuments;
  readonly layers: readonly StoredLayer[];
  /** Bill of materials (CycloneDX JSON), attached to the image as an artifact that refers to it. */
  readonly sbom?: Uint8Array;
}

/** Media type of CycloneDX documents in JSON, as IANA registers it. */
const sbomType = 'application/vnd.cyclonedx+json';

const empty = json({});
const emptyConfig = describe('application/vnd.oci.empty.v1+json', empty);

/**
 * Writes an image as a tar archive of an OCI image layout, which `ctr images import`, `skopeo copy oci-archive:` and newer
 * docker engines read; for `docker load` in older ones it also contains docker's manifest.json for the same blobs.
 */
export async function writeArchive(image: ArchivedImage, target: string): Promise<void> {
  const { documents, layers, reference, platform, sbom } = image;
  const manifest = describe(mediaTypes.manifest, documents.manifest);
  const blobs = new Map<string, TarEntry>();
  const put = ({ digest }: Descriptor, content: Uint8Array) =>
    blobs.set(digest, { path: blobPath(digest), type: 'file', mode: 0o644, content });
  put(manifest, documents.manifest);
  put(describe(mediaTypes.config, documents.config), documents.config);
  for (const layer of layers) {
    if ('content' in layer) put(layer, layer.content);
    else {
      const { digest, path, size } = layer;
      blobs.set(digest, { path: blobPath(digest), type: 'file', mode: 0o644, from: path, size });
    }
  }
  const attached = sbom === undefined ? [] : [attach(sbom, manifest, put)];
  const [os, architecture] = platform.split('/');
  const names = {
    'io.containerd.image.name': reference,
    'org.opencontainers.image.ref.name': reference.slice(reference.lastIndexOf(':') + 1),
  };
  const index = {
    schemaVersion: 2,
    mediaType: mediaTypes.index,
    manifests: [{ ...manifest, platform: { architecture, os }, annotations: names }, ...attached],
  };
  const dockerManifest = [
    {
      Config: blobPath(documents.id),
      RepoTags: [reference],
      Layers: layers.map(({ digest }) => blobPath(digest)),
    },
  ];
  const entries: readonly TarEntry[] = [
    { path: 'oci-layout', type: 'file', mode: 0o644, content: json({ imageLayoutVersion: '1.0.0' }) },
    { path: 'index.json', type: 'file', mode: 0o644, content: json(index) },
    { path: 'manifest.json', type: 'file', mode: 0o644, content: json(dockerManifest) },
    { path: 'blobs', type: 'folder', mode: 0o755 },
    { path: 'blobs/sha256', type: 'folder', mode: 0o755 },
    ...[...blobs.values()].sort((a, b) => (a.path < b.path ? -1 : 1)),
  ];
  await pipeline(Readable.from(tarChunks(entries), { objectMode: false }), createWriteStream(target));
}

/** Adds an artifact that refers to the image (OCI distribution spec 1.1, "referrers"). */
function attach(
  sbom: Uint8Array,
  subject: Descriptor,
  put: (descriptor: Descriptor, content: Uint8Array) => void,
): Descriptor & { readonly artifactType: string } {
  const document = describe(sbomType, sbom);
  const manifest = json({
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    artifactType: sbomType,
    config: emptyConfig,
    layers: [document],
    subject,
  });
  const artifact = describe(mediaTypes.manifest, manifest);
  put(emptyConfig, empty);
  put(document, sbom);
  put(artifact, manifest);
  return { ...artifact, artifactType: sbomType };
}

function blobPath(digest: string): string {
  return `blobs/${digest.replace(':', '/')}`;
}
