import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { formatProblem } from '../core/problem.ts';
import { checkDiskSpace, spaceProblems } from './disk-space.ts';

const disks = (path: string) =>
  path.startsWith('/big') ? { device: 1, freeGib: 100 } : { device: 2, freeGib: 3.25 };

test('sums what is needed on each file system, and names those that are too small', () => {
  const needs = [
    { path: '/big/cache', gib: 90 },
    { path: '/small/build', gib: 2 },
    { path: '/small/modules', gib: 1.5 },
  ];
  expect(spaceProblems('building the tools', needs, disks).map(formatProblem)).toEqual([
    '/small/build, /small/modules: not enough disk space for building the tools; received "3.3 GiB free"; allowed at least 3.5 GiB; fix: free some space, or point XDG_CACHE_HOME (GOCACHE and GOMODCACHE too, if set) to a larger disk',
  ]);
});

test('finds a problem exactly where a file system has less than the sum', () => {
  const need = fc.record({ path: fc.constantFrom('/big/a', '/big/b', '/small/c'), gib: fc.nat(120) });
  fc.assert(
    fc.property(fc.array(need), (needs) => {
      const sum = (prefix: string) =>
        needs.filter(({ path }) => path.startsWith(prefix)).reduce((total, { gib }) => total + gib, 0);
      const expected = Number(sum('/big') > 100) + Number(sum('/small') > 3.25);
      expect(spaceProblems('it', needs, disks)).toHaveLength(expected);
    }),
  );
});

test('looks at the disk that a folder yet to be made will be on', () => {
  const path = `${import.meta.dirname}/not/there/yet`;
  expect(() => {
    checkDiskSpace('a test', [{ path, gib: 0 }]);
  }).not.toThrow();
  expect(() => {
    checkDiskSpace('a test', [{ path, gib: 1e9 }]);
  }).toThrow(`${path}: not enough disk space for a test; received "`);
});
