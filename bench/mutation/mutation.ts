import { fileURLToPath } from 'node:url';
import { copyProject } from './checkout.ts';
import { draw, mutantsOf } from './mutants.ts';
import { parseOptions } from './options.ts';
import { sourcesOf } from './rooms.ts';
import { tryMutants } from './run.ts';
import { formatMutation, scoresOf } from './table.ts';
import { endTrials } from './trial.ts';

/**
 * Draws mutants of the rooms that decide access, trust and removal, and tries each with the unit tests that import its file.
 * @returns the table and the figures
 * @throws ProblemsError for wrong flags (exit 2), or a test that fails without a mutant (exit 1).
 */
export async function benchMutation(
  args: readonly string[],
  report: (line: string) => void,
): Promise<readonly [string, object]> {
  const { seed, count, rooms, workers } = parseOptions(args);
  const start = performance.now();
  const checkout = copyProject(fileURLToPath(new URL('../..', import.meta.url)));
  const interrupted = () => {
    endTrials();
    checkout.remove();
    process.exit(1);
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, interrupted);
  try {
    const made = await mutantsOf(checkout.root, sourcesOf(checkout.files, rooms));
    const drawn = draw(made.mutants, seed, count);
    report(`${drawn.length} of ${made.mutants.length} mutants drawn by seed ${seed}`);
    const tried = await tryMutants(checkout, made, drawn, workers, report);
    const minutes = (performance.now() - start) / 60_000;
    return [
      formatMutation(tried, seed, minutes),
      { seed, of: made.mutants.length, minutes, scores: scoresOf(tried), tried },
    ];
  } finally {
    for (const signal of signals) process.off(signal, interrupted);
    checkout.remove();
  }
}
