import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { ProblemsError } from '../../core/problem.ts';
import { expectedFailures } from './expected.ts';

const folder = mkdtempSync(join(tmpdir(), 'expected-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

function read(...lines: readonly string[]): ReadonlyMap<string, string> {
  const file = join(folder, 'failing.txt');
  writeFileSync(file, `${lines.join('\n')}\n`);
  return expectedFailures(file);
}

test('expected failures are read with their reasons, in order, without comments', () => {
  expect(read('# comment: none', 'b/2: by design', '', 'a.1: RFC 6455, section 5.6: text only')).toEqual(
    new Map([
      ['a.1', 'RFC 6455, section 5.6: text only'],
      ['b/2', 'by design'],
    ]),
  );
});

test('a line without a reason, and a name that is there twice, are refused, all at once', () => {
  const file = join(folder, 'failing.txt');
  let thrown: unknown;
  try {
    read('a: once', 'b', 'c: ', 'a: twice');
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(ProblemsError);
  expect((thrown as ProblemsError).problems).toEqual([
    { where: `${file}:2`, what: 'not a name with a reason', received: 'b', allowed: 'NAME: REASON' },
    { where: `${file}:3`, what: 'not a name with a reason', received: 'c: ', allowed: 'NAME: REASON' },
    { where: `${file}:4`, what: 'a is there twice' },
  ]);
});
