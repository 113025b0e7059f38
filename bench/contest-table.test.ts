import { expect, test } from '@jest/globals';
import { formatContest, formatGoals } from './contest-table.ts';
import type { ContestRow, Sample } from './contest.ts';

const sample = (cpu: number, p99: number): Sample => ({
  cpu,
  p50: p99 / 4,
  p99,
  perSecond: 1e6 / cpu,
  busy: 0.98,
});

// The machine is twice as slow in the second round: that is no ratio.
const rows: readonly ContestRow[] = [
  { workload: 'GET', contestant: 'ours', samples: [sample(60, 8), sample(120, 16), sample(66, 8)] },
  { workload: 'GET', contestant: 'theirs', samples: [sample(50, 4), sample(100, 8), sample(50, 4)] },
];

test('a table has medians, ranges, and the median of the ratios of each round', () => {
  expect(formatContest('gateway', rows, 'theirs').split('\n')).toEqual([
    '| request | gateway | CPU us per request (range) | theirs = 1 | p50 ms | p99 ms (range) | theirs = 1 | requests/s | of its processor |',
    '| --- | --- | --- | --- | --- | --- | --- | --- | --- |',
    '| GET | ours | 66 (60 to 120) | 1.20 | 2.0 | 8.0 (8.0 to 16.0) | 2.00 | 15152 | 98 % |',
    '| GET | theirs | 50 (50 to 100) | 1.00 | 1.0 | 4.0 (4.0 to 8.0) | 1.00 | 20000 | 98 % |',
    '',
  ]);
});

test('each goal is told with how it stands', () => {
  const goal = { contestant: 'ours', baseline: 'theirs' } as const;
  expect(
    formatGoals(rows, [
      { ...goal, measure: 'cpu', atMost: 1.5 },
      { ...goal, measure: 'p99', atMost: 1.9 },
    ]),
  ).toBe(
    'GET: CPU per request of ours is 1.20 x that of theirs, goal 1.5: reached\n' +
      'GET: p99 of ours is 2.00 x that of theirs, goal 1.9: missed\n',
  );
});

test('a baseline that did not take part is an error', () => {
  expect(() => formatContest('gateway', rows, 'nobody')).toThrow('nobody was not measured in GET');
});
