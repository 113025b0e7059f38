import { expect, test } from '@jest/globals';
import type { Tried } from './run.ts';
import { formatMutation, percentOf, scoresOf } from './table.ts';

const tried = (file: string, outcome: Tried['outcome'], tests: number): Tried => ({
  mutant: { id: '1', file, line: 3, column: 5, mutator: 'BooleanLiteral', was: 'true', became: 'false' },
  outcome,
  tests,
});

const all = [
  tried('infra/trust/pem.ts', 'survived', 2),
  tried('infra/trust/pem.ts', 'killed', 2),
  tried('charts/gates/rules/rules.ts', 'timed out', 1),
  tried('charts/gates/claims.ts', 'survived', 0),
];

test('by room and over all, with each survivor and the score against the goal', () => {
  expect(formatMutation(all, 7, 12.4)).toBe(
    [
      '| room | drawn | killed | timed out | survived | % noticed |',
      '| --- | --- | --- | --- | --- | --- |',
      '| charts/gates | 2 | 0 | 1 | 1 | 50.0 |',
      '| infra/trust | 2 | 1 | 0 | 1 | 50.0 |',
      '| all | 4 | 1 | 1 | 2 | 50.0 |',
      '',
      'charts/gates/claims.ts:3:5 BooleanLiteral: true → false (no test runs it)',
      'infra/trust/pem.ts:3:5 BooleanLiteral: true → false (2 test files)',
      '',
      'seed 7: 50.0 % of 4 mutants noticed, goal 90 %; 12 minutes',
    ].join('\n'),
  );
});

test('no mutant has survived where none is', () => {
  expect(scoresOf([]).map(percentOf)).toEqual([100]);
  expect(formatMutation([], 1, 0)).toContain('seed 1: 100.0 % of 0 mutants noticed');
});
