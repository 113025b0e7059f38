import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Checkout } from './checkout.ts';
import { mutantsOf, type Mutant, type Mutants } from './mutants.ts';
import { formatMutant, jestConfigOf, tryMutants } from './run.ts';
import { tryTests } from './trial.ts';

const folder = 'bench/mutation/fixtures';
const source = `${folder}/count.ts`;
const tests = `${folder}/count.test.ts`;
const temporary = mkdtempSync(join(tmpdir(), 'mutation-'));
afterAll(() => {
  rmSync(temporary, { recursive: true });
});
const checkout: Checkout = {
  root: join(import.meta.dirname, '..', '..'),
  temporary,
  cache: join(temporary, 'cache'),
  files: [source, tests],
  remove: () => undefined,
};

let made: Mutants;
beforeAll(async () => {
  made = await mutantsOf(checkout.root, [source]);
});

/** The mutant that puts this in the place of that. */
function mutant(was: string, became: string): Mutant {
  return made.mutants.find((one) => one.was === was && one.became === became)!;
}

test('a mutant is killed by a test that fails, survives tests that pass, and is told when none runs its place', async () => {
  const drawn = [
    mutant('count < limit', 'count <= limit'),
    mutant("'done'", '""'),
    mutant('count % 2 === 0', 'count % 2 !== 0'),
  ];
  const lines: string[] = [];
  const tried = await tryMutants(checkout, made, drawn, 1, (line) => lines.push(line));
  expect(tried.map(({ outcome, by, tests }) => ({ outcome, by, tests }))).toEqual([
    { outcome: 'killed', by: `${tests}: counts`, tests: 1 },
    { outcome: 'survived', by: undefined, tests: 1 },
    { outcome: 'survived', by: undefined, tests: 0 },
  ]);
  expect(lines).toEqual([
    'without a mutant: 1 of 1 test files',
    '1 of 3: 1 killed, 0 timed out, 0 survived',
    `2 of 3: 1 killed, 0 timed out, 1 survived; survived: ${source}:5:13 StringLiteral: 'done' → ""`,
    `3 of 3: 1 killed, 0 timed out, 2 survived; survived: ${source}:11:10 EqualityOperator: count % 2 === 0 → count % 2 !== 0`,
  ]);
});

test('a mutant that never gives its process a turn is timed out, and its process is gone', async () => {
  const { id } = mutant('count++', 'count--');
  const started = performance.now();
  const trial = await tryTests(
    checkout,
    jestConfigOf(checkout.root),
    [{ path: tests, limit: 3_000 }],
    made.instrumented,
    id,
  );
  expect(trial).toMatchObject({ outcome: 'timed out', by: tests });
  expect(performance.now() - started).toBeLessThan(30_000);
});

test('a source that cannot be loaded fails the test that imports it', async () => {
  const trial = await tryTests(
    checkout,
    jestConfigOf(checkout.root),
    [{ path: tests, limit: 30_000 }],
    new Map([[source, 'export const countTo = ;']]),
  );
  expect(trial.outcome).toBe('failed');
  expect(trial.by).toMatch(/^bench\/mutation\/fixtures\/count\.test\.ts: /);
});

test('a process that ends in a test fails it', async () => {
  const trial = await tryTests(
    checkout,
    jestConfigOf(checkout.root),
    [{ path: tests, limit: 30_000 }],
    new Map([[source, 'export const countTo = () => process.exit(7);']]),
  );
  expect(trial).toMatchObject({ outcome: 'failed', by: `${tests}: the process ended with 7` });
});

test('a test that fails without a mutant ends the run', async () => {
  const broken = { ...made, instrumented: new Map([[source, 'export const countTo = () => 2;']]) };
  const [first] = made.mutants;
  const run = tryMutants(checkout, broken, [first!], 1, () => undefined);
  await expect(run).rejects.toThrow(
    `${tests}: failed without a mutant, so it cannot show whether a mutant is noticed; received "${tests}: counts"; fix: node scripts/jest.js unit ${tests}`,
  );
});

test('code is shown on one line, and cut where it is long', () => {
  const long = { ...mutant("'done'", '""'), was: `{\n  ${'x'.repeat(100)}\n}`, became: '{}' };
  expect(formatMutant(long)).toBe(`${source}:5:13 StringLiteral: { ${'x'.repeat(87)}… → {}`);
});
