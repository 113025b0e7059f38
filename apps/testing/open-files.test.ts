import { closeSync, openSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { assertConnectionsFit, openFiles } from './open-files.ts';

test('what fits is taken', () => {
  assertConnectionsFit('N', 400, { allowed: 1_000, open: 100 });
  assertConnectionsFit('N', 1e6, { allowed: Infinity, open: 100 });
});

test('what does not fit is told with what is needed and allowed', () => {
  expect(() => {
    assertConnectionsFit('N', 10_000, { allowed: 1_024, open: 30 });
  }).toThrow(
    new Error(
      'N: 10000 connections, both ends in one process, need 20130 open files, and 1024 are allowed; ' +
        'allow more ("ulimit -n 20130"), or ask for at most 447',
    ),
  );
});

test.each([NaN, 0, -1, 1.5])('%s is no number of connections', (connections) => {
  expect(() => {
    assertConnectionsFit('N', connections, { allowed: 1_000, open: 100 });
  }).toThrow(new Error(`N: ${connections} received; allowed a whole number from 1`));
});

test('the limit and the files of this process are those of the system', () => {
  const before = openFiles();
  expect(before.allowed).toBeGreaterThan(before.open);
  const more = Array.from({ length: 5 }, () => openSync('/dev/null', 'r'));
  const after = openFiles();
  for (const each of more) closeSync(each);
  expect(after).toEqual({ allowed: before.allowed, open: before.open + 5 });
});
