import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Changes } from './changes.ts';

const never = new AbortController().signal;

async function collect<T>(values: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const value of values) all.push(value);
  return all;
}

test('delivers what came after subscribing, to each subscriber what it wants', async () => {
  const changes = new Changes<string, number>();
  changes.publish('a', 0);
  const all = changes.subscribe(never);
  const some = changes.subscribe(never, (key) => key === 'b');
  changes.publish('a', 1);
  changes.publish('b', 2);
  all.end();
  some.end();
  changes.publish('b', 3);
  expect(await collect(all)).toEqual([1, 2]);
  expect(await collect(some)).toEqual([2]);
  expect(changes.size).toBe(0);
});

test('wakes a waiting subscriber', async () => {
  const changes = new Changes<string, number>();
  const subscription = changes.subscribe(never)[Symbol.asyncIterator]();
  const next = subscription.next();
  await new Promise(setImmediate);
  changes.publish('a', 1);
  expect(await next).toEqual({ done: false, value: 1 });
  await subscription.return();
  expect(changes.size).toBe(0);
});

test('an abort ends at once and drops the rest', async () => {
  const changes = new Changes<string, number>();
  const abort = new AbortController();
  const subscription = changes.subscribe(abort.signal);
  changes.publish('a', 1);
  abort.abort();
  expect(await collect(subscription)).toEqual([]);
  expect(await collect(changes.subscribe(abort.signal))).toEqual([]);
  expect(changes.size).toBe(0);
});

test('a slow subscriber gets the newest value of every key', async () => {
  const change = fc.record({ key: fc.constantFrom('a', 'b', 'c'), value: fc.nat() });
  await fc.assert(
    fc.asyncProperty(fc.array(change), async (published) => {
      const changes = new Changes<string, { key: string; value: number }>();
      const subscription = changes.subscribe(never);
      for (const each of published) changes.publish(each.key, each);
      subscription.end();
      const newest = new Map(published.map((each) => [each.key, each.value]));
      const received = await collect(subscription);
      expect(received).toHaveLength(newest.size);
      expect(new Map(received.map((each) => [each.key, each.value]))).toEqual(newest);
    }),
  );
});
