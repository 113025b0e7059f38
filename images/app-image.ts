import type { AppConfig } from '../apps/config/app-config.ts';
import type { Bundle } from './bundle.ts';
import { describe, digestOf, imageDocuments, mediaTypes } from './oci.ts';
import type { ImageDocuments, Layer } from './oci.ts';
import type { Project } from './project.ts';
import { imageLabels } from './spec.ts';
import type { ImageSpec } from './spec.ts';
import { tarChunks } from './tar.ts';
import type { TarEntry } from './tar.ts';

/** An app's image without its tag: its bundle on Node, run as a non-root user. */
export function appImage(
  config: Pick<AppConfig, 'name' | 'image' | 'ports' | 'httpGateway'>,
  { code }: Pick<Bundle, 'code'>,
  project: Project,
): Omit<ImageSpec, 'tag'> {
  const { title, description, version, nodeOptions } = config.image;
  // With a gateway container beside it, the HTTP port is that container's.
  const ports = [config.ports.grpc, config.httpGateway ? undefined : config.ports.http];
  return {
    name: config.name,
    files: [
      { to: '/app/main.js', from: { content: code } },
      { to: '/app/package.json', from: { content: '{"type":"module"}\n' } },
    ],
    user: '65532:65532',
    workingDirectory: '/app',
    entrypoint: ['/usr/bin/node', ...nodeOptions, '/app/main.js'],
    ports: ports.filter((port) => port !== undefined),
    labels: {
      ...imageLabels(title, description, version),
      ...(project.license === undefined ? {} : { 'org.opencontainers.image.licenses': project.license }),
      ...(project.source === undefined ? {} : { 'org.opencontainers.image.source': project.source }),
    },
  };
}

/** An app's image in full: the archive of its own layer, and its documents. */
export interface BuiltApp extends ImageDocuments {
  /** `<version>-<12 hex digits>`, the digits those of the image's id. */
  readonly tag: string;
  /** The top layer as stored: not compressed, so that digests do not depend on a compressor's version. */
  readonly archive: Uint8Array;
  readonly layer: Layer;
}

/** Adds an app's own files to a base. The base's content is not needed: the digests are computed from the base's digests. */
export function buildApp(
  spec: Omit<ImageSpec, 'tag'>,
  base: { readonly platform: string; readonly layer: Layer },
): BuiltApp {
  const archive = Buffer.concat([...tarChunks(appEntries(spec))]);
  const diffId = digestOf(archive);
  const layer = { ...describe(mediaTypes.layer, archive), diffId };
  const documents = imageDocuments(spec, base.platform, [base.layer, layer]);
  const version = spec.labels?.['org.opencontainers.image.version'] ?? '';
  const tag = `${version}-${documents.id.slice('sha256:'.length, 'sha256:'.length + 12)}`;
  return { ...documents, tag, archive, layer };
}

function appEntries({ files = [] }: Pick<ImageSpec, 'files'>): readonly TarEntry[] {
  return [
    { path: 'app', type: 'folder', mode: 0o755 },
    ...files.flatMap(({ to, from, mode = 0o644 }): readonly TarEntry[] =>
      'content' in from
        ? [{ path: to.slice(1), type: 'file', mode, content: Buffer.from(from.content) }]
        : [],
    ),
  ];
}
