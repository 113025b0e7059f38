import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { binFolders, buildKey } from './build.ts';

test('a key is 16 hex digits, equal for equal parts only', () => {
  expect(buildKey(['a', 'b'])).toMatch(/^[0-9a-f]{16}$/);
  const parts = fc.array(fc.string({ maxLength: 3 }), { maxLength: 4 });
  fc.assert(
    fc.property(parts, parts, (a, b) => {
      expect(buildKey(a) === buildKey(b)).toBe(JSON.stringify(a) === JSON.stringify(b));
    }),
  );
  // Text that moves from one part to the next makes another key.
  expect(buildKey(['ab', 'c'])).not.toBe(buildKey(['a', 'bc']));
});

test('the folders of programs are named once each', () => {
  expect(
    binFolders({ etcd: '/c/etcd/bin/etcd', ctr: '/c/ctrd/bin/ctr', containerd: '/c/ctrd/bin/containerd' }),
  ).toEqual(['/c/etcd/bin', '/c/ctrd/bin']);
});
