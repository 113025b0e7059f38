import { closeSync, openSync, readSync } from 'node:fs';

/** A file, folder or symbolic link of an archive, owned by root and dated at the epoch. */
export type TarEntry = {
  /** Without a leading slash; a folder's without a trailing one. */
  readonly path: string;
} & (
  | { readonly type: 'file'; readonly mode: number; readonly content: Uint8Array }
  /** A file of this machine, read in chunks because it may not fit into memory. */
  | { readonly type: 'file'; readonly mode: number; readonly from: string; readonly size: number }
  | { readonly type: 'folder'; readonly mode: number }
  | { readonly type: 'link'; readonly target: string }
);

const block = 512;
const chunkBytes = 1 << 20;
const types = { file: '0', link: '2', folder: '5' } as const;

/**
 * A tar archive (POSIX.1-1988 "ustar") of the entries in their order: the same bytes for the same entries on every
 * machine, which tar programs do not guarantee from one version to the next.
 * @throws RangeError for a path or link target that is too long for the format
 */
export function* tarChunks(entries: readonly TarEntry[]): Generator<Uint8Array> {
  for (const entry of entries) {
    yield header(entry);
    if (entry.type !== 'file') continue;
    if ('content' in entry) yield entry.content;
    else yield* fileChunks(entry.from, entry.size);
    yield new Uint8Array((block - (sizeOf(entry) % block)) % block);
  }
  yield new Uint8Array(2 * block);
}

function sizeOf(entry: TarEntry): number {
  if (entry.type !== 'file') return 0;
  return 'content' in entry ? entry.content.length : entry.size;
}

function* fileChunks(path: string, size: number): Generator<Uint8Array> {
  const file = openSync(path, 'r');
  try {
    for (let at = 0; at < size;) {
      const chunk = Buffer.alloc(Math.min(chunkBytes, size - at));
      const read = readSync(file, chunk, 0, chunk.length, at);
      if (read === 0) throw new Error(`${path} became shorter while it was read`);
      at += read;
      yield chunk.subarray(0, read);
    }
  } finally {
    closeSync(file);
  }
}

function header(entry: TarEntry): Uint8Array {
  const bytes = Buffer.alloc(block);
  const [prefix, name] = split(entry.type === 'folder' ? `${entry.path}/` : entry.path);
  const octal = (value: number, at: number, length: number) =>
    bytes.write(`${value.toString(8).padStart(length - 1, '0')}\0`, at, 'latin1');
  bytes.write(name, 0);
  octal(entry.type === 'link' ? 0o777 : entry.mode, 100, 8);
  octal(0, 108, 8); // user
  octal(0, 116, 8); // group
  octal(sizeOf(entry), 124, 12);
  octal(0, 136, 12); // time
  bytes.write(types[entry.type], 156);
  if (entry.type === 'link') bytes.write(fitting(entry.target, 100), 157);
  bytes.write('ustar\0' + '00', 257, 'latin1');
  octal(0, 329, 8); // device numbers
  octal(0, 337, 8);
  bytes.write(prefix, 345);
  // The checksum is computed with its own field as blanks.
  bytes.fill(' ', 148, 156);
  const sum = bytes.reduce((total, byte) => total + byte, 0);
  bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return bytes;
}

/** A long path goes in two fields, cut at a slash. */
function split(path: string): readonly [prefix: string, name: string] {
  if (Buffer.byteLength(path) <= 100) return ['', path];
  for (let at = path.indexOf('/'); at !== -1; at = path.indexOf('/', at + 1)) {
    const [prefix, name] = [path.slice(0, at), path.slice(at + 1)];
    if (name !== '' && Buffer.byteLength(name) <= 100) return [fitting(prefix, 155), name];
  }
  return ['', fitting(path, 100)];
}

function fitting(text: string, bytes: number): string {
  if (Buffer.byteLength(text) <= bytes) return text;
  throw new RangeError(`${text} is longer than the ${bytes} bytes that a tar archive has for it`);
}
