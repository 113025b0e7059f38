import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeFileAtomic } from '../core/files.ts';
import { nearest } from '../core/names.ts';
import { ProblemsError } from '../core/problem.ts';
import { benchGateway, formatGateway } from './gateway.ts';
import { benchMutation } from './mutation/mutation.ts';
import { benchPair, formatPair } from './pair.ts';
import { benchSynth, formatSynth } from './synth.ts';

/** Rounds of each benchmark: medians of five are stable on a noisy machine. */
const rounds = 5;

/** Rounds of a comparison with a limit of a few percent. */
const pairs = 9;

/** `npm run bench -- NAME`: a table on standard output, and the figures in bench/results/NAME.json. */
const benches: Readonly<
  Record<
    string,
    (
      report: (line: string) => void,
      args: readonly string[],
    ) => readonly [string, object] | Promise<readonly [string, object]>
  >
> = {
  gateway: async (report) => {
    const figures = await benchGateway(rounds, report);
    return [formatGateway(figures), figures];
  },
  mutation: (report, args) => benchMutation(args, report),
  pair: async (report, [folder]) => {
    const figures = await benchPair(folder, pairs, report);
    return [formatPair(figures), figures];
  },
  synth: (report) => {
    const rows = benchSynth(rounds, report);
    return [formatSynth(rows), rows];
  },
};

try {
  const [name = '', ...args] = process.argv.slice(2);
  const bench = benches[name];
  if (bench === undefined) {
    const known = Object.keys(benches);
    const near = nearest(name, known);
    throw new ProblemsError([
      {
        where: 'npm run bench',
        what: 'is not a benchmark',
        received: name,
        allowed: known.join(', '),
        fix: `npm run bench -- ${near ?? known[0] ?? ''}`,
      },
    ]);
  }
  const [table, figures] = await bench((line) => process.stderr.write(`${line}\n`), args);
  const file = join(fileURLToPath(new URL('results', import.meta.url)), `${name}.json`);
  writeFileAtomic(file, `${JSON.stringify(figures, undefined, 2)}\n`);
  process.stdout.write(`${table}\nfigures: bench/results/${name}.json\n`);
} catch (error) {
  if (!(error instanceof ProblemsError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = error.exitCode;
}
