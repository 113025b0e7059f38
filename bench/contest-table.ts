import type { ContestRow, Sample } from './contest.ts';

/** A limit relative to the baseline. */
export interface Goal {
  readonly contestant: string;
  readonly baseline: string;
  readonly measure: 'cpu' | 'p99';
  readonly atMost: number;
}

/** The rows as a Markdown table: medians, their range, and ratios to the baseline. */
export function formatContest(what: string, rows: readonly ContestRow[], baseline: string): string {
  const lines = rows.map((row) => {
    const { workload, contestant, samples } = row;
    const [cpu, p99] = (['cpu', 'p99'] as const).map((measure) => ({
      text: measure === 'cpu' ? spread(samples, measure, 0) : spread(samples, measure, 1),
      ratio: ratioOf(rows, row, baseline, measure).toFixed(2),
    }));
    const cells = [
      workload,
      contestant,
      cpu?.text,
      cpu?.ratio,
      median(samples.map(({ p50 }) => p50)).toFixed(1),
      p99?.text,
      p99?.ratio,
      median(samples.map(({ perSecond }) => perSecond)).toFixed(0),
      `${(median(samples.map(({ busy }) => busy)) * 100).toFixed(0)} %`,
    ];
    return `| ${cells.join(' | ')} |`;
  });
  return [
    `| request | ${what} | CPU us per request (range) | ${baseline} = 1 | p50 ms | p99 ms (range) | ${baseline} = 1 | requests/s | of its processor |`,
    '| --- | --- | --- | --- | --- | --- | --- | --- | --- |',
    ...lines,
    '',
  ].join('\n');
}

/** Whether each goal is reached in each workload. */
export function formatGoals(rows: readonly ContestRow[], goals: readonly Goal[]): string {
  return goals
    .flatMap(({ contestant, baseline, measure, atMost }) =>
      rows
        .filter((row) => row.contestant === contestant)
        .map((row) => {
          const ratio = ratioOf(rows, row, baseline, measure).toFixed(2);
          const name = measure === 'cpu' ? 'CPU per request' : 'p99';
          const stands = Number(ratio) <= atMost ? 'reached' : 'missed';
          return `${row.workload}: ${name} of ${contestant} is ${ratio} x that of ${baseline}, goal ${atMost}: ${stands}\n`;
        }),
    )
    .join('');
}

/** The median of the rounds' ratios: a disturbance in a round affects both programs. */
function ratioOf(
  rows: readonly ContestRow[],
  row: ContestRow,
  baseline: string,
  measure: 'cpu' | 'p99',
): number {
  const base = rows.find(({ workload, contestant }) => workload === row.workload && contestant === baseline);
  if (base === undefined) throw new Error(`${baseline} was not measured in ${row.workload}`);
  return median(
    row.samples.map((sample, round) => sample[measure] / (base.samples[round]?.[measure] ?? NaN)),
  );
}

function spread(samples: readonly Sample[], measure: 'cpu' | 'p99', digits: number): string {
  const values = samples.map((sample) => sample[measure]);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return `${median(values).toFixed(digits)} (${low.toFixed(digits)} to ${high.toFixed(digits)})`;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}
