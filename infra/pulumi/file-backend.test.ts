import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { removeOldHistory } from './file-backend.ts';

let backend: string;
beforeEach(() => {
  backend = mkdtempSync(join(tmpdir(), 'file-backend-'));
});
afterEach(() => {
  rmSync(backend, { recursive: true });
});

/** Files as the backend names them. The first update was written before its files were compressed. */
const filesOf = (update: number) =>
  ['history', 'checkpoint'].map(
    (kind) => `lab-${1_790_000_000_000_000_000n + BigInt(update)}.${kind}.json${update === 0 ? '' : '.gz'}`,
  );
const updates = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, index) => filesOf(from + index)).flat();

test('keeps the last ten updates of the stack, and all of other stacks and of other names', () => {
  const folder = join(backend, '.pulumi', 'history', 'meshwright', 'lab');
  const other = join(backend, '.pulumi', 'history', 'meshwright', 'prod');
  for (const one of [folder, other]) {
    mkdirSync(one, { recursive: true });
    for (const name of [...updates(0, 13), 'notes.json']) writeFileSync(join(one, name), '');
  }
  removeOldHistory(backend, 'lab');
  expect(readdirSync(folder).sort()).toEqual([...updates(3, 13), 'notes.json'].sort());
  expect(readdirSync(other)).toHaveLength(27);
  removeOldHistory(backend, 'lab');
  expect(readdirSync(folder)).toHaveLength(21);
});

test('has no effect in a backend without a history', () => {
  removeOldHistory(backend, 'lab');
  expect(readdirSync(backend)).toEqual([]);
});
