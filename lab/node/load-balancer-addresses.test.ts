import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { addressOf, allocate, hostNameOf } from './load-balancer-addresses.ts';

const pool = ['a1', 'a2', 'a3'];

describe('allocate', () => {
  test('keeps what is held and gives the first free address to the next', () => {
    const { assigned, without } = allocate(pool, [
      { name: 'b', current: undefined },
      { name: 'a', current: 'a2' },
      { name: 'c', current: 'elsewhere' },
    ]);
    expect(Object.fromEntries(assigned)).toEqual({ a: 'a2', b: 'a1', c: 'a3' });
    expect(without).toEqual([]);
  });

  test('says who found the pool empty', () => {
    const names = ['a', 'b', 'c', 'd'].map((name) => ({ name, current: undefined }));
    expect(allocate(pool, names).without).toEqual(['d']);
  });

  test('never gives an address twice, serves as many as it can, and is settled after one round', () => {
    const service = fc.record({
      name: fc.string({ minLength: 1 }),
      current: fc.option(fc.constantFrom(...pool, 'elsewhere'), { nil: undefined }),
    });
    fc.assert(
      fc.property(fc.uniqueArray(service, { selector: ({ name }) => name, maxLength: 6 }), (services) => {
        const { assigned, without } = allocate(pool, services);
        expect(new Set(assigned.values()).size).toBe(assigned.size);
        expect(assigned.size).toBe(Math.min(pool.length, services.length));
        expect(assigned.size + without.length).toBe(services.length);
        const settled = services.map(({ name }) => ({ name, current: assigned.get(name) }));
        expect(allocate(pool, settled)).toEqual({ assigned, without });
      }),
    );
  });
});

test('an address is read back from its host name', () => {
  expect(hostNameOf('172.29.0.4')).toBe('172-29-0-4.load-balancer.lab');
  expect(addressOf({ hostname: hostNameOf('172.29.0.4') })).toBe('172.29.0.4');
  expect(addressOf({ ip: '172.29.0.4', hostname: 'lb.example' })).toBe('172.29.0.4');
  expect(addressOf({ hostname: 'lb.example' })).toBeUndefined();
});
