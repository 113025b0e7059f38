import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { ProblemsError } from '../../core/problem.ts';
import { importers } from '../../test/runner/import-graph.ts';
import type { Checkout } from './checkout.ts';
import type { Mutant, Mutants } from './mutants.ts';
import { testsNear } from './reach.ts';
import { tryTests, type JestConfig } from './trial.ts';

/** What became of a mutant. */
export interface Tried {
  readonly mutant: Mutant;
  readonly outcome: 'killed' | 'timed out' | 'survived';
  /** The test that noticed it. */
  readonly by?: string;
  /** Test files that ran its place; none of them noticed a survivor. */
  readonly tests: number;
}

/** A run of a test file without a mutant. */
interface DryRun {
  readonly path: string;
  readonly milliseconds: number;
  /** Ids of the mutants whose place it runs. */
  readonly reached: ReadonlySet<string>;
}

type Report = (line: string) => void;

/** A test without a mutant may take so many milliseconds. */
const dryLimit = 300_000;
/** With a mutant it may take longer than without, as the machine may be busier; one that takes longer still hangs. */
const limitOf = ({ milliseconds }: DryRun) => 10_000 + 4 * milliseconds;

/**
 * Tries mutants, each with the test files that import its file and run its place, the nearest first, until one fails.
 * @throws ProblemsError when a test fails without a mutant.
 */
export async function tryMutants(
  checkout: Checkout,
  { instrumented }: Mutants,
  drawn: readonly Mutant[],
  workers: number,
  report: Report,
): Promise<readonly Tried[]> {
  const jest = jestConfigOf(checkout.root);
  const graph = importers(
    checkout.root,
    checkout.files.filter((file) => file.endsWith('.ts')),
  );
  const distances = new Map(
    [...new Set(drawn.map(({ file }) => file))].map((file) => [file, testsNear(file, graph)]),
  );
  const tests = [...new Set([...distances.values()].flatMap((near) => [...near.keys()]))].sort();
  const dryRuns = await runDry(checkout, jest, tests, instrumented, workers, report);
  const counts = { killed: 0, 'timed out': 0, survived: 0 };
  return inParallel(drawn, workers, async (mutant) => {
    const near = distances.get(mutant.file);
    const far = ({ path }: DryRun) => near?.get(path) ?? Infinity;
    const files = dryRuns
      .filter((run) => far(run) !== Infinity && run.reached.has(mutant.id))
      .sort((a, b) => far(a) - far(b) || a.milliseconds - b.milliseconds)
      .map((run) => ({ path: run.path, limit: limitOf(run) }));
    const source = new Map([[mutant.file, instrumented.get(mutant.file) ?? '']]);
    const { outcome, by } = await tryTests(checkout, jest, files, source, mutant.id);
    const tried: Tried = {
      mutant,
      outcome: outcome === 'passed' ? 'survived' : outcome === 'failed' ? 'killed' : 'timed out',
      tests: files.length,
      ...(by === undefined ? {} : { by }),
    };
    counts[tried.outcome]++;
    const done = counts.killed + counts['timed out'] + counts.survived;
    report(
      `${done} of ${drawn.length}: ${counts.killed} killed, ${counts['timed out']} timed out, ${counts.survived} survived` +
        (tried.outcome === 'killed' ? '' : `; ${tried.outcome}: ${formatMutant(mutant)}`),
    );
    return tried;
  });
}

/** `file:line:column kind: was → became`, each on one line and cut where it is long. */
export function formatMutant({ file, line, column, mutator, was, became }: Mutant): string {
  return `${file}:${line}:${column} ${mutator}: ${short(was)} → ${short(became)}`;
}

const longest = 90;

function short(code: string): string {
  const line = code.replaceAll(/\s+/g, ' ');
  return line.length > longest ? `${line.slice(0, longest - 1)}…` : line;
}

/** Each file in a process of its own, so that what is run while modules are loaded counts for it. */
async function runDry(
  checkout: Checkout,
  jest: JestConfig,
  tests: readonly string[],
  sources: ReadonlyMap<string, string>,
  workers: number,
  report: Report,
): Promise<readonly DryRun[]> {
  let done = 0;
  const runs = await inParallel(tests, workers, async (path) => {
    const start = performance.now();
    const trial = await tryTests(checkout, jest, [{ path, limit: dryLimit }], sources);
    report(`without a mutant: ${++done} of ${tests.length} test files`);
    return { path, milliseconds: performance.now() - start, reached: new Set(trial.reached), trial };
  });
  const failed = runs.flatMap(({ path, trial: { outcome, by } }) =>
    outcome === 'passed'
      ? []
      : [
          {
            where: path,
            what: `${outcome} without a mutant, so it cannot show whether a mutant is noticed`,
            received: by,
            fix: `node scripts/jest.js unit ${path}`,
          },
        ],
  );
  if (failed.length > 0) throw new ProblemsError(failed, 1);
  return runs;
}

/** The configuration of the unit tests, as jest itself makes it of jest.config.js and its defaults. */
export function jestConfigOf(root: string): JestConfig {
  const jest = join(root, 'node_modules', 'jest', 'bin', 'jest.js');
  const shown = execFileSync(process.execPath, [jest, '--showConfig', '--testTimeout=60000'], {
    cwd: root,
    encoding: 'utf8',
  });
  const { configs, globalConfig } = JSON.parse(shown) as {
    readonly configs: readonly JestConfig['config'][];
    readonly globalConfig: JestConfig['globalConfig'];
  };
  const config = configs.find(({ displayName }) => displayName?.name === 'unit');
  if (config === undefined) throw new Error('jest.config.js has no project of the name unit');
  return { config, globalConfig };
}

async function inParallel<T, R>(
  items: readonly T[],
  workers: number,
  task: (item: T) => Promise<R>,
): Promise<readonly R[]> {
  const results: R[] = [];
  const left = items.entries();
  const work = async () => {
    for (const [index, item] of left) results[index] = await task(item);
  };
  await Promise.all(Array.from({ length: workers }, work));
  return results;
}
