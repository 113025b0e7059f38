import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { SynthRun } from './synth-run.ts';

/** Numbers of services, each in two clusters. */
const sizes = [10, 100, 1000, 2000];
/** Growth is measured against this size: below it, start-up costs more than the services. */
const baseline = 100;
/** Seconds that {@link goalSize} services in two clusters may take. */
const goalSeconds = 10;
const goalSize = 1000;

/** The median run of a size, and the range of its rounds. */
export interface SynthRow extends SynthRun {
  readonly fastest: number;
  readonly slowest: number;
  /** Processor time per service, as a ratio to that of the baseline: 1 is linear growth. */
  readonly perService: number;
}

/**
 * Renders meshes of growing size, each in its own process, and all sizes in turn in every round, so that a busy moment of
 * the machine does not affect only one of them.
 */
export function benchSynth(rounds: number, report: (line: string) => void): readonly SynthRow[] {
  const runs = Array.from({ length: rounds }, (_, round) =>
    sizes.map((services) => {
      const run = runOnce(services);
      report(`round ${round + 1} of ${rounds}: ${services} services in ${run.seconds.toFixed(2)} s`);
      return run;
    }),
  ).flat();
  const medians = sizes.map((size) => summary(runs.filter(({ services }) => services === size)));
  const base = medians.find(({ services }) => services === baseline);
  if (base === undefined) throw new Error('the baseline is not one of the sizes');
  return medians.map((row) => ({
    ...row,
    perService: row.cpuSeconds / row.services / (base.cpuSeconds / base.services),
  }));
}

function runOnce(services: number): SynthRun {
  const program = fileURLToPath(new URL('synth-run.ts', import.meta.url));
  const output = execFileSync(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', program, String(services)],
    { encoding: 'utf8' },
  );
  return JSON.parse(output) as SynthRun;
}

function summary(runs: readonly SynthRun[]): Omit<SynthRow, 'perService'> {
  const ordered = runs.toSorted((a, b) => a.seconds - b.seconds);
  const [median, first, last] = [ordered[Math.floor(ordered.length / 2)], ordered[0], ordered.at(-1)];
  if (median === undefined || first === undefined || last === undefined)
    throw new Error('no run of this size was made');
  return { ...median, fastest: first.seconds, slowest: last.seconds };
}

/** The rows as a Markdown table, and below it the result for the goal. */
export function formatSynth(rows: readonly SynthRow[]): string {
  const lines = rows.map(
    ({ services, seconds, fastest, slowest, cpuSeconds, peakMiB, objects, perService }) =>
      `| ${services} | ${seconds.toFixed(2)} (${fastest.toFixed(2)} to ${slowest.toFixed(2)}) | ${cpuSeconds.toFixed(2)} | ` +
      `${perService.toFixed(2)} | ${Math.round(peakMiB)} | ${objects} |`,
  );
  const goal = rows.find(({ services }) => services === goalSize);
  const reached =
    goal === undefined
      ? ''
      : `\n${goalSize} services in two clusters: ${(goal.seconds / goalSeconds).toFixed(2)} x the goal of ${goalSeconds} s\n`;
  return [
    `| services | seconds (range) | CPU seconds | CPU per service, ${baseline} = 1 | peak MiB | objects |`,
    '| --- | --- | --- | --- | --- | --- |',
    ...lines,
    reached,
  ].join('\n');
}
