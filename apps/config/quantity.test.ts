import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseQuantity } from './quantity.ts';

describe('parseQuantity', () => {
  test.each([
    ['1', 1],
    ['250m', 0.25],
    ['0.5', 0.5],
    ['.5', 0.5],
    ['1.', 1],
    ['128Mi', 134217728],
    ['1k', 1000],
    ['1Ki', 1024],
    ['2G', 2e9],
    ['1e3', 1000],
    ['1E3', 1000],
    ['5E', 5e18],
  ])('%s is %d', (text, amount) => {
    expect(parseQuantity(text)).toBe(amount);
  });

  test.each([
    '',
    '0',
    '0Mi',
    '-1',
    '+1',
    '1 Mi',
    '128mb',
    '1K',
    '1KiB',
    '1e400',
    '9E20',
    '1e',
    'Mi',
    '١',
    1,
    null,
  ])('%j is none', (value) => {
    expect(parseQuantity(value)).toBeUndefined();
  });

  test('never throws, and grows with its digits', () => {
    fc.assert(
      fc.property(fc.anything(), (value) => parseQuantity(value) === undefined || typeof value === 'string'),
    );
    fc.assert(
      fc.property(fc.nat(1e6), fc.constantFrom('', 'm', 'k', 'M', 'Ki', 'Mi', 'Gi'), (amount, suffix) => {
        const less = parseQuantity(`${amount + 1}${suffix}`);
        const more = parseQuantity(`${amount + 2}${suffix}`);
        expect(less).toBeLessThan(more ?? 0);
      }),
    );
  });
});
