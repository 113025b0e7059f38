import { expect, test } from '@jest/globals';
import { status } from '@grpc/grpc-js';
import { statusError } from '../runtime/status.ts';
import { memoryRequestLog } from './request-log.ts';
import type { RequestLog } from './request-log.ts';

async function answer(log: RequestLog<string>, key: string): Promise<void> {
  const claim = await log.claim(key, 'print');
  if (claim.kind !== 'ours') throw new Error(`${key} is taken`);
  await claim.settle({ kind: 'answered', answer: `the answer to ${key}` });
}

const kindOf = async (log: RequestLog<string>, key: string) => (await log.claim(key, 'print')).kind;

test('an answer is there for others until it expires', async () => {
  let time = 1_000;
  const log = memoryRequestLog<string>({ keepMs: 100, now: () => time });
  await answer(log, 'a');
  time = 1_099;
  const claim = await log.claim('a', 'other');
  if (claim.kind !== 'taken') throw new Error('it is not taken');
  expect(claim.fingerprint).toBe('print');
  expect(await claim.outcome).toEqual({ kind: 'answered', answer: 'the answer to a' });
  time = 1_100;
  expect(await kindOf(log, 'a')).toBe('ours');
});

test.each([
  { kind: 'unknown' } as const,
  { kind: 'refused', error: statusError(status.NOT_FOUND, 'no such thing') } as const,
])('$kind reaches those who wait, and frees the key', async (outcome) => {
  const log = memoryRequestLog<string>();
  const claim = await log.claim('a', 'print');
  const waiting = await log.claim('a', 'print');
  if (claim.kind !== 'ours' || waiting.kind !== 'taken') throw new Error('it is not taken');
  await claim.settle(outcome);
  expect(await waiting.outcome).toEqual(outcome);
  expect(await kindOf(log, 'a')).toBe('ours');
});

test('the oldest answers make room, what is under way does not', async () => {
  const log = memoryRequestLog<string>({ most: 3 });
  for (const key of ['a', 'b', 'c']) await answer(log, key);
  expect(await kindOf(log, 'd')).toBe('ours');
  expect(await Promise.all(['b', 'c', 'd'].map((key) => kindOf(log, key)))).toEqual([
    'taken',
    'taken',
    'taken',
  ]);
  for (const key of ['a', 'e']) expect(await kindOf(log, key)).toBe('ours');
  expect(await Promise.all(['a', 'd', 'e'].map((key) => kindOf(log, key)))).toEqual([
    'taken',
    'taken',
    'taken',
  ]);
  await expect(log.claim('f', 'print')).rejects.toMatchObject({
    code: status.RESOURCE_EXHAUSTED,
    message: 'too many requests are in progress; call again later',
  });
});
