import { expect, test } from '@jest/globals';
import { testsNear } from './reach.ts';

test('tests are as far as the shortest chain of imports, and others are not there', () => {
  const graph = new Map([
    ['a.ts', new Set(['b.ts', 'a.test.ts'])],
    ['b.ts', new Set(['a.ts', 'c.ts', 'b.test.ts'])],
    ['c.ts', new Set(['b.test.ts', 'c.test.ts'])],
    ['d.ts', new Set(['d.test.ts'])],
  ]);
  expect([...testsNear('a.ts', graph)]).toEqual([
    ['a.test.ts', 1],
    ['b.test.ts', 2],
    ['c.test.ts', 3],
  ]);
});
