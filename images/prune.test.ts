import { expect, test } from '@jest/globals';
import { outdated } from './prune.ts';

const hour = 60 * 60_000;

test('keeps the last three of each name, and all that were used within the hour', () => {
  const images = [
    { folder: 'catalog-0000000000000001', usedAt: 5 * hour },
    { folder: 'catalog-0000000000000002', usedAt: 1 * hour },
    { folder: 'catalog-0000000000000003', usedAt: 4 * hour },
    { folder: 'catalog-0000000000000004', usedAt: 2 * hour },
    { folder: 'catalog-0000000000000005', usedAt: 3 * hour },
    { folder: 'base-node-0000000000000006', usedAt: 0 },
  ];
  expect(outdated(images, 6 * hour).toSorted()).toEqual([
    'catalog-0000000000000002',
    'catalog-0000000000000004',
  ]);
  expect(outdated(images, 2.5 * hour)).toEqual(['catalog-0000000000000002']);
});
