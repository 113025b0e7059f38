import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { lastLines } from './last-lines.ts';

let folder = '';
const log = () => join(folder, 'a.log');
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lines-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

test('a log that is not there has none', () => {
  expect(lastLines(log())).toEqual([]);
});

test('gives the last ones that say something, each on a line of its own', () => {
  writeFileSync(log(), 'one\n\ntwo\n\u001b[31mthree\u001b[0m\tis red\r\n   \nfour');
  expect(lastLines(log(), 3)).toEqual(['two', 'three is red', 'four']);
  expect(lastLines(log())).toHaveLength(4);
});

test('reads no more than the end of a long log, and cuts long lines', () => {
  writeFileSync(log(), `${'first\n'.repeat(10_000)}${'x'.repeat(1_000)}\nlast\n`);
  const lines = lastLines(log(), 2);
  expect(lines).toEqual([`${'x'.repeat(239)}…`, 'last']);
});
