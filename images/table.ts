import type { BuiltImage } from './build.ts';

/** One line per image, in columns: reference and digest, size in a registry, folder with its archive. */
export function imageTable(
  images: readonly Pick<BuiltImage, 'reference' | 'digest' | 'bytes' | 'folder'>[],
): readonly string[] {
  const rows = images.map(({ reference, digest, bytes, folder }) => [
    `${reference}@${digest}`,
    `${(bytes / 1e6).toFixed(1)} MB`,
    folder,
  ]);
  const width = (column: number) => Math.max(0, ...rows.map((row) => row[column]?.length ?? 0));
  const [references, sizes] = [width(0), width(1)];
  return rows.map(([reference = '', size = '', folder = '']) =>
    [reference.padEnd(references), size.padStart(sizes), folder].join('  '),
  );
}
