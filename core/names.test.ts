import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { isDnsLabel, nearest } from './names.ts';

describe('isDnsLabel', () => {
  test.each(['a', 'east', 'us-east1', '1a', 'a'.repeat(63)])('accepts %s', (name) => {
    expect(isDnsLabel(name)).toBe(true);
  });
  test.each(['', '-a', 'a-', 'A', 'a.b', 'a_b', 'a'.repeat(64), 'é', 'a\n'])('refuses %j', (name) => {
    expect(isDnsLabel(name)).toBe(false);
  });
});

describe('nearest', () => {
  test('finds a mistyped name', () => {
    expect(nearest('reserv', ['getStock', 'reserve'])).toBe('reserve');
    expect(nearest('eats', ['east', 'west'])).toBe('east');
    expect(nearest('Replica', ['replicas', 'resources'])).toBe('replicas');
  });
  test('offers nothing when nothing is near', () => {
    expect(nearest('north', ['east', 'west'])).toBeUndefined();
  });
  test('finds any candidate itself, and one with a letter lost', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.stringMatching(/^[a-z]{4,12}$/), { minLength: 1 }),
        fc.nat(),
        (names, pick) => {
          const name = names[pick % names.length]!;
          expect(nearest(name, names)).toBe(name);
          expect(nearest(name.slice(1), [name])).toBe(name);
        },
      ),
    );
  });
});

test('what is not a string is no name, and near to none', () => {
  for (const value of [undefined, null, 5, {}, ['a']]) {
    expect(isDnsLabel(value)).toBe(false);
    expect(nearest(value, ['undefined', 'null', '5', 'a'])).toBeUndefined();
  }
});
