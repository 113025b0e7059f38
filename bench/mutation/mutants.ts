import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Instrumenter } from '@stryker-mutator/instrumenter';

/** A small change of a source, by one of Stryker's mutators. */
export interface Mutant {
  /** Switches it on in the instrumented text of its file. */
  readonly id: string;
  /** From the root, with `/`. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 1. */
  readonly column: number;
  /** Stryker's name of the kind, such as `EqualityOperator`. */
  readonly mutator: string;
  /** The text that is replaced. */
  readonly was: string;
  readonly became: string;
}

export interface Mutants {
  readonly mutants: readonly Mutant[];
  /** By path from the root: the source with all its mutants, none of them switched on. */
  readonly instrumented: ReadonlyMap<string, string>;
}

const never = () => false;
const nothing = () => undefined;
const silent = {
  ...{ isTraceEnabled: never, isDebugEnabled: never, isInfoEnabled: never },
  ...{ isWarnEnabled: never, isErrorEnabled: never, isFatalEnabled: never },
  ...{ trace: nothing, debug: nothing, info: nothing, warn: nothing, error: nothing, fatal: nothing },
};

/**
 * All mutants of sources, by Stryker's own mutators, none left out
 * (https://stryker-mutator.io/docs/mutation-testing-elements/supported-mutators).
 * @param files - paths from the root
 */
export async function mutantsOf(root: string, files: readonly string[]): Promise<Mutants> {
  const sources = new Map(files.map((file) => [file, readFileSync(join(root, file), 'utf8')]));
  const result = await new Instrumenter(silent).instrument(
    [...sources].map(([name, content]) => ({ name, content, mutate: true })),
    { plugins: null, excludedMutations: [], ignorers: [] },
  );
  const mutants = result.mutants.map(
    ({ id, fileName, location: { start, end }, mutatorName, replacement }) => ({
      id,
      file: fileName,
      line: start.line + 1,
      column: start.column + 1,
      mutator: mutatorName,
      was: textBetween(sources.get(fileName) ?? '', start, end),
      became: replacement,
    }),
  );
  return { mutants, instrumented: new Map(result.files.map(({ name, content }) => [name, content])) };
}

interface Position {
  readonly line: number;
  readonly column: number;
}

function textBetween(source: string, start: Position, end: Position): string {
  const lines = source.split('\n').slice(start.line, end.line + 1);
  const last = lines.length - 1;
  lines[last] = lines[last]?.slice(0, end.column) ?? '';
  lines[0] = lines[0]?.slice(start.column) ?? '';
  return lines.join('\n');
}

/**
 * So many mutants, all equally likely, in an order that only the seed and the mutants themselves decide: a larger count
 * goes on in the same order, and a change of one file leaves the order of the mutants of the others.
 */
export function draw(mutants: readonly Mutant[], seed: number, count: number): readonly Mutant[] {
  const place = ({ file, line, column, mutator, became }: Mutant) =>
    createHash('sha256').update([seed, file, line, column, mutator, became].join(' ')).digest('hex');
  return mutants
    .map((mutant) => ({ mutant, place: place(mutant) }))
    .sort((a, b) => (a.place < b.place ? -1 : 1))
    .slice(0, count)
    .map(({ mutant }) => mutant);
}
