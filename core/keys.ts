import { nearest } from './names.ts';
import type { Problem } from './problem.ts';

/** The keys of every member of a union. */
type AllKeys<T> = T extends unknown ? keyof T & string : never;

/** The keys of a type, which the compiler holds complete: a key that is added to the type has to be added here. */
export function keysOf<T>(keys: Readonly<Record<AllKeys<T>, true>>): readonly string[] {
  return Object.keys(keys);
}

const nobodyReads = 'remove it; a construct of your own that reads it passes on the other properties only';

/**
 * A problem for each key of an object that nobody reads, such as a misspelt one: what it says would be lost without a
 * word. The compiler sees that only in an object that is written where it is used. What is no object has no keys.
 * @param where - whose the object is: `demo/shop/edge`, or a part of it, `demo/shop/edge: jwt`
 */
export function unknownKeys(where: string, value: unknown, known: readonly string[]): Problem[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [];
  return Object.keys(value)
    .filter((key) => !known.includes(key))
    .map((key) => {
      const near = nearest(key, known);
      return {
        where: `${where}${where.includes(': ') ? '.' : ': '}${key}`,
        what: 'unknown key',
        received: key,
        allowed: known.length === 0 ? 'none' : known.join(', '),
        fix: near === undefined ? nobodyReads : `did you mean ${near}?`,
      };
    });
}
