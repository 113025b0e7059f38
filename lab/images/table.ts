import type { BuiltImage } from './images.ts';

/** One line an image, in columns: reference, size on disk (uncompressed), the start of its id. */
export function imageTable(
  images: readonly Pick<BuiltImage, 'reference' | 'bytes' | 'id'>[],
): readonly string[] {
  const rows = images.map(({ reference, bytes, id }) => [
    reference,
    `${(bytes / 1e6).toFixed(1)} MB`,
    id.slice(0, 'sha256:'.length + 12),
  ]);
  const width = (column: number) => Math.max(0, ...rows.map((row) => row[column]?.length ?? 0));
  const [references, sizes] = [width(0), width(1)];
  return rows.map(([reference = '', size = '', id = '']) =>
    [reference.padEnd(references), size.padStart(sizes), id].join('  '),
  );
}
