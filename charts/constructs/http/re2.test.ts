import { expect, test } from '@jest/globals';
import { re2Problem } from './re2.ts';

test.each([
  'x(?i)y',
  '(?i)a[0-9]{2}|b',
  '[(?=]',
  '(?P<a>x)|(?<b>y)|(?:z)',
  'a{,3}',
  '(a{10}){100}',
  String.raw`[[:alpha:]\d\p{Greek}\-]+\pL\z`,
  String.raw`\Qa(b\E*`,
  '[]a]',
  'a'.repeat(1024),
])('%s is an expression of RE2', (text) => {
  expect(re2Problem(text)).toBeUndefined();
});

test.each([
  ['a'.repeat(1025), 'is longer than 1024 bytes, the most that Istio accepts'],
  ['é'.repeat(513), 'is longer than 1024 bytes, the most that Istio accepts'],
  ['a{1,2000}', 'repeats something more than 1000 times, which RE2 refuses'],
  ['(a{100}){11}', 'repeats something more than 1000 times, which RE2 refuses'],
  ['a{2,1}', 'is not an RE2 expression: {2,1} is not a valid repetition'],
  ['a(?=b)', 'uses lookaround or a backreference, which RE2 does not have'],
  ['(?<!b)a', 'uses lookaround or a backreference, which RE2 does not have'],
  [String.raw`(a)\1`, 'uses lookaround or a backreference, which RE2 does not have'],
  [String.raw`\cA`, String.raw`is not an RE2 expression: RE2 does not know \c`],
  [String.raw`\u0041`, String.raw`is not an RE2 expression: RE2 does not know \u`],
  [String.raw`\p{Klingon}`, String.raw`is not an RE2 expression: \p{Klingon} is not a character class`],
  [String.raw`\x{110000}`, String.raw`is not an RE2 expression: \x{110000} is not a character`],
  ['(?>a)', 'is not an RE2 expression: RE2 does not know (?>a)'],
  ['(?P<a>x)(?P<a>y)', 'is not an RE2 expression: it has two groups named a'],
  ['[^]', 'is not an RE2 expression: it has a [ without a ]'],
  ['[]', 'is not an RE2 expression: it has a [ without a ]'],
  ['[', 'is not an RE2 expression: it has a [ without a ]'],
  ['[z-a]', 'is not an RE2 expression: z-a is not a range'],
  ['[[:foo:]]', 'is not an RE2 expression: [:foo:] is not a character class'],
  ['(a', 'is not an RE2 expression: it has a ( without a )'],
  ['a)', 'is not an RE2 expression: it has a ) without a ('],
  ['a**', 'is not an RE2 expression: it has nothing to repeat before *'],
  ['|+', 'is not an RE2 expression: it has nothing to repeat before +'],
])('%s is none that istiod takes', (text, problem) => {
  expect(re2Problem(text)).toBe(problem);
});
