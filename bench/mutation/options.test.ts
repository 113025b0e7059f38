import { expect, test } from '@jest/globals';
import { ProblemsError } from '../../core/problem.ts';
import { parseOptions } from './options.ts';
import { rooms } from './rooms.ts';

test('without flags: 400 mutants of all rooms by seed 1, two side by side', () => {
  expect(parseOptions([])).toEqual({ seed: 1, count: 400, workers: 2, rooms });
});

test('each flag', () => {
  const flags = [
    '--seed=0',
    '--count',
    '1',
    '--workers',
    '1',
    '--room',
    'infra/trust',
    '--room=charts/gates',
  ];
  expect(parseOptions(flags)).toEqual({
    seed: 0,
    count: 1,
    workers: 1,
    rooms: ['infra/trust', 'charts/gates'],
  });
});

const flagsAllowed = 'allowed --seed, --count, --room, --workers';

test('all wrong flags are told at once', () => {
  const flags = [
    '--seed',
    '-1',
    '--count=0',
    '--sead',
    '7',
    '--room',
    'infra/trusts',
    '--count=1e9',
    '--workers',
  ];
  let error: unknown;
  try {
    parseOptions(flags);
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toBeInstanceOf(ProblemsError);
  expect((error as Error).message.split('\n')).toEqual([
    'npm run bench -- mutation: --seed is not a valid number; received "-1"; allowed a whole number from 0; fix: --seed 1',
    'npm run bench -- mutation: --count is not a valid number; received "0"; allowed a whole number from 1; fix: --count 400',
    `npm run bench -- mutation: is not a flag of this command; received "--sead"; ${flagsAllowed}; fix: use --seed, or remove it`,
    `npm run bench -- mutation: is not a flag of this command; received "7"; ${flagsAllowed}; fix: use one of these, or remove it`,
    `npm run bench -- mutation: --room is not one of the mutated rooms; received "infra/trusts"; allowed ${rooms.join(', ')}; fix: --room infra/trust`,
    'npm run bench -- mutation: --count is not a valid number; received "1e9"; allowed a whole number from 1; fix: --count 400',
    'npm run bench -- mutation: --workers is not a valid number; received nothing; allowed a whole number from 1; fix: --workers 2',
  ]);
});
