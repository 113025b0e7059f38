import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Bag } from './bag.ts';

test('a bag holds what a Set would', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), fc.nat(9))), (steps) => {
      const things = Array.from({ length: 10 }, (_, name) => ({ name, place: -1 }));
      const bag = new Bag<(typeof things)[number]>();
      const set = new Set<(typeof things)[number]>();
      for (const [add, name] of steps) {
        const thing = things[name]!;
        if (!add) {
          bag.delete(thing);
          set.delete(thing);
        } else if (!set.has(thing)) {
          bag.add(thing);
          set.add(thing);
        }
        expect(bag.size).toBe(set.size);
        expect(new Set(bag.list())).toEqual(set);
      }
    }),
  );
});
