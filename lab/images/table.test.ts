import { expect, test } from '@jest/globals';
import { imageTable } from './table.ts';

test('lines images up by reference, size and id', () => {
  const id = `sha256:${'0123456789abcdef'.repeat(4)}`;
  expect(
    imageTable([
      { reference: 'localhost/x/pause:1', bytes: 720_384, id },
      { reference: 'localhost/x/catalog:1.0.0', bytes: 136_000_000, id },
    ]),
  ).toEqual([
    'localhost/x/pause:1          0.7 MB  sha256:0123456789ab',
    'localhost/x/catalog:1.0.0  136.0 MB  sha256:0123456789ab',
  ]);
  expect(imageTable([])).toEqual([]);
});
