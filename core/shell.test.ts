import { execFileSync } from 'node:child_process';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { shellWord } from './shell.ts';

test('a shell reads every word as it was', () => {
  fc.assert(
    // Arguments of programs end at NUL, and hold no lone surrogates.
    fc.property(fc.array(fc.string({ unit: 'binary', maxLength: 12 }), { maxLength: 40 }), (all) => {
      const words = all.map((word) => word.replaceAll('\0', '0'));
      const script = `for word in ${words.map(shellWord).join(' ')}; do printf '%s\\0' "$word"; done`;
      const read = execFileSync('sh', ['-c', script], { encoding: 'utf8' }).split('\0').slice(0, -1);
      expect(read).toEqual(words);
    }),
    { numRuns: 30 },
  );
});

test('a word that needs no quotes has none', () => {
  expect(['kubectl', '--context=east', '/a/b.c', 'a b', "it's", '', '$HOME'].map(shellWord)).toEqual([
    'kubectl',
    '--context=east',
    '/a/b.c',
    "'a b'",
    String.raw`'it'\''s'`,
    "''",
    "'$HOME'",
  ]);
});
