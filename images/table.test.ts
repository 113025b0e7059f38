import { expect, test } from '@jest/globals';
import { imageTable } from './table.ts';

test('lines images up by reference with digest, size and folder', () => {
  const digest = `sha256:${'0123456789abcdef'.repeat(4)}`;
  expect(
    imageTable([
      { reference: 'localhost/x/pause:1', digest, bytes: 720_384, folder: '/c/pause-1' },
      { reference: 'localhost/x/catalog:1.0.0', digest, bytes: 49_700_000, folder: '/c/catalog-1' },
    ]),
  ).toEqual([
    `localhost/x/pause:1@${digest}         0.7 MB  /c/pause-1`,
    `localhost/x/catalog:1.0.0@${digest}  49.7 MB  /c/catalog-1`,
  ]);
  expect(imageTable([])).toEqual([]);
});
