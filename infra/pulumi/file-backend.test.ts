import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { fileBackendUrl, listValue, removeOldHistory } from './file-backend.ts';

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
  removeOldHistory(backend, 'meshwright', 'lab');
  expect(readdirSync(folder).sort()).toEqual([...updates(3, 13), 'notes.json'].sort());
  expect(readdirSync(other)).toHaveLength(27);
  removeOldHistory(backend, 'meshwright', 'lab');
  expect(readdirSync(folder)).toHaveLength(21);
});

test('has no effect in a backend without a history', () => {
  removeOldHistory(backend, 'meshwright', 'lab');
  expect(readdirSync(backend)).toEqual([]);
});

/** Names of folders: anything but a line break, which a checkout is refused for. */
const folders = fc
  .array(fc.string({ unit: 'binary', minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 4 })
  .map((names) => `/${names.map((name) => name.replaceAll(/[/.\p{Cc}]/gu, '_')).join('/')}`);

test('the URL of a backend is that of its folder, whatever that is called', () => {
  expect(fileBackendUrl('/srv/mesh/.meshwright/pulumi/state')).toBe(
    'file:///srv/mesh/.meshwright/pulumi/state',
  );
  expect(fileBackendUrl(`/odd dir 'q" #é/50% off?/a&b$(c)`)).toBe(
    `file:///odd%20dir%20'q%22%20%23%C3%A9/50%25%20off%3F/a&b$(c)`,
  );
  fc.assert(
    fc.property(folders, (folder) => {
      // The generic syntax of RFC 3986, appendix B: what a parser takes for path, query and fragment.
      const [, , , , host, path = '', query, , fragment] =
        /^(([^:/?#]+):)?(\/\/([^/?#]*))?([^?#]*)(\?([^#]*))?(#(.*))?$/.exec(fileBackendUrl(folder)) ?? [];
      expect([host, decodeURIComponent(path), query, fragment]).toEqual(['', folder, undefined, undefined]);
    }),
  );
});

/** The fields of a line of CSV, by the grammar of RFC 4180. */
function fieldsOf(line: string): readonly string[] {
  return [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^",]*))(?=,|$)/g)].map(
    ([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? '',
  );
}

test('a value of a flag of several is one value, whatever it holds', () => {
  expect(['/a b/policy', '/a,b/policy', '/a"b/policy'].map(listValue)).toEqual([
    '/a b/policy',
    '"/a,b/policy"',
    '"/a""b/policy"',
  ]);
  fc.assert(
    fc.property(folders, (folder) => {
      expect(fieldsOf(listValue(folder))).toEqual([folder]);
    }),
  );
});
