import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { Arrivals } from './arrivals.ts';

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

/** A stop with a delay of 10 s and 7 s after it, and calls at these times, in milliseconds. */
async function stopWith(calls: readonly number[]): Promise<{ readonly at: number; readonly after: number }> {
  const arrivals = new Arrivals();
  const began = performance.now();
  for (const at of calls) {
    setTimeout(() => {
      arrivals.note();
    }, at);
  }
  const stopped = arrivals.stopped(10_000, 7_000).then((after) => ({ at: performance.now() - began, after }));
  await jest.advanceTimersByTimeAsync(60_000);
  return stopped;
}

test.each<[string, calls: readonly number[], at: number]>([
  ['without any call it is the delay', [], 10_000],
  ['a call long before its end changes nothing', [0, 3_000, 7_999], 10_000],
  ['a call shortly before its end is waited upon for a fifth of it', [9_500], 11_500],
  ['and every further one', [9_500, 11_000, 12_900], 14_900],
  ['one that comes after such a pause is too late', [9_000, 11_001], 11_000],
  [
    'calls that never stop are waited upon for the limit',
    Array.from({ length: 60 }, (_, second) => second * 1_000),
    17_000,
  ],
])('%s', async (_, calls, at) => {
  expect(await stopWith(calls)).toEqual({ at, after: at - 10_000 });
});

test('no delay is no wait, whatever came', async () => {
  const arrivals = new Arrivals();
  arrivals.note();
  const stopped = arrivals.stopped(0, 7_000);
  await jest.advanceTimersByTimeAsync(0);
  expect(await stopped).toBe(0);
});
