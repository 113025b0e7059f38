import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream, mkdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { mediaTypes } from './oci.ts';
import type { Layer } from './oci.ts';
import type { ImageSpec } from './spec.ts';
import { tarChunks } from './tar.ts';
import { entriesBelow, stageRoot } from './rootfs.ts';

/**
 * Writes an image's own files as a gzip-compressed layer.
 * @param packages Paths of the Debian package files to unpack.
 * @param scratch Folder to lay the files out in; it must not exist, and is removed afterwards.
 * @param target File to write.
 */
export async function writeLayer(
  image: Pick<ImageSpec, 'files' | 'folders' | 'links'>,
  packages: readonly string[],
  scratch: string,
  target: string,
  signal?: AbortSignal,
): Promise<Layer> {
  mkdirSync(scratch, { recursive: true });
  const root = join(scratch, 'rootfs');
  await stageRoot(root, image, packages, signal);
  const content = createHash('sha256');
  const chunks = Readable.from(tarChunks(entriesBelow(root)), { objectMode: false });
  const options = signal === undefined ? {} : { signal };
  await pipeline(chunks, tee(content), createGzip(), createWriteStream(target), options);
  rmSync(scratch, { recursive: true });
  return {
    mediaType: mediaTypes.gzipLayer,
    digest: `sha256:${await hashOf(target)}`,
    size: statSync(target).size,
    diffId: `sha256:${content.digest('hex')}`,
  };
}

function tee(hash: ReturnType<typeof createHash>): Transform {
  return new Transform({
    transform(chunk: Uint8Array, _encoding, done) {
      hash.update(chunk);
      done(null, chunk);
    },
  });
}

async function hashOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}
