import { afterAll, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { draw, mutantsOf, type Mutant } from './mutants.ts';

const root = mkdtempSync(join(tmpdir(), 'mutants-'));
afterAll(() => {
  rmSync(root, { recursive: true });
});

async function changes(source: string): Promise<string[]> {
  writeFileSync(join(root, 'source.ts'), source);
  const { mutants } = await mutantsOf(root, ['source.ts']);
  return mutants.map(({ mutator, was, became }) => `${mutator}: ${was} → ${became}`);
}

test.each<[string, string, string[]]>([
  [
    'a condition, its operator, and the block below it',
    'if (a < b) { c(); }',
    [
      'ConditionalExpression: a < b → true',
      'ConditionalExpression: a < b → false',
      'EqualityOperator: a < b → a <= b',
      'EqualityOperator: a < b → a >= b',
      'BlockStatement: { c(); } → {}',
      'CallExpression: c(); → ;',
    ],
  ],
  ['a logical operator', 'const x = a ?? b;', ['LogicalOperator: a ?? b → a && b']],
  [
    'a boolean literal and a negation',
    'const x = [true, !a];',
    ['ArrayDeclaration: [true, !a] → []', 'BooleanLiteral: true → false', 'BooleanLiteral: !a → a'],
  ],
  ['an optional chain', 'const x = a?.b;', ['OptionalChaining: a?.b → a.b']],
  ['a string', "const x = 'text';", ['StringLiteral: \'text\' → ""']],
  ['arithmetic', 'const x = a + b;', ['ArithmeticOperator: a + b → a - b']],
  ['a call that keeps only some', 'const x = a.filter(b);', ['MethodExpression: a.filter(b) → a']],
  ['types and comments have none', "// text\ntype A = 'text' | 1;\nimport type { B } from './b.ts';", []],
])('%s', async (_, source, expected) => {
  expect((await changes(source)).toSorted()).toEqual(expected.toSorted());
});

test('a mutant of several lines has its place, from 1, and its text', async () => {
  writeFileSync(join(root, 'lines.ts'), 'const a = 1;\n  const b = {\n    c: a,\n  };\n');
  const { mutants } = await mutantsOf(root, ['lines.ts']);
  expect(mutants).toEqual([
    expect.objectContaining({
      file: 'lines.ts',
      line: 2,
      column: 13,
      was: '{\n    c: a,\n  }',
      became: '{}',
    }),
  ]);
});

test('the instrumented text does what the source does, but for the mutant that is switched on', async () => {
  writeFileSync(join(root, 'sum.ts'), 'export const sum = (a: number, b: number) => a + b;\n');
  const { mutants, instrumented } = await mutantsOf(root, ['sum.ts']);
  writeFileSync(join(root, 'instrumented.ts'), instrumented.get('sum.ts')!);
  const before = Reflect.get(globalThis, '__stryker__') as unknown;
  const stryker: { activeMutant?: string } = {};
  Reflect.set(globalThis, '__stryker__', stryker);
  try {
    const { sum } = (await import(join(root, 'instrumented.ts'))) as {
      sum: (a: number, b: number) => number;
    };
    expect(sum(3, 2)).toBe(5);
    stryker.activeMutant = mutants.find(({ became }) => became === 'a - b')!.id;
    expect(sum(3, 2)).toBe(1);
  } finally {
    Reflect.set(globalThis, '__stryker__', before);
  }
});

const mutants = Array.from({ length: 200 }, (_, index): Mutant => ({
  id: String(index),
  file: `file-${index % 7}.ts`,
  line: index,
  column: 1,
  mutator: 'StringLiteral',
  was: "'a'",
  became: '""',
}));
const ids = (drawn: readonly Mutant[]) => drawn.map(({ id }) => id);

test('a seed draws the same mutants again, another seed others, and a larger count goes on', () => {
  const first = ids(draw(mutants, 1, 20));
  expect(new Set(first).size).toBe(20);
  expect(ids(draw(mutants.toReversed(), 1, 20))).toEqual(first);
  expect(ids(draw(mutants, 2, 20))).not.toEqual(first);
  expect(ids(draw(mutants, 1, 50)).slice(0, 20)).toEqual(first);
  expect(draw(mutants, 1, 1000)).toHaveLength(200);
});

test('the order does not hang on ids, which change with files before', () => {
  const renamed = mutants.map((mutant) => ({ ...mutant, id: `${mutant.id}0` }));
  expect(ids(draw(renamed, 1, 20))).toEqual(ids(draw(mutants, 1, 20)).map((id) => `${id}0`));
});
