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
  ['a'.repeat(1025), 'is longer than 1024 bytes, the most Istio takes'],
  ['é'.repeat(513), 'is longer than 1024 bytes, the most Istio takes'],
  ['a{1,2000}', 'repeats something more than 1000 times, which RE2 refuses'],
  ['(a{100}){11}', 'repeats something more than 1000 times, which RE2 refuses'],
  ['a{2,1}', 'is no RE2 expression: it has no such number of times as {2,1}'],
  ['a(?=b)', 'uses lookaround or a back reference, which RE2 does not have'],
  ['(?<!b)a', 'uses lookaround or a back reference, which RE2 does not have'],
  [String.raw`(a)\1`, 'uses lookaround or a back reference, which RE2 does not have'],
  [String.raw`\cA`, String.raw`is no RE2 expression: it has no \c`],
  [String.raw`\u0041`, String.raw`is no RE2 expression: it has no \u`],
  [String.raw`\p{Klingon}`, String.raw`is no RE2 expression: it has no characters \p{Klingon}`],
  [String.raw`\x{110000}`, String.raw`is no RE2 expression: it has no character \x{110000}`],
  ['(?>a)', 'is no RE2 expression: it has no (?>a)'],
  ['(?P<a>x)(?P<a>y)', 'is no RE2 expression: it has two groups a'],
  ['[^]', 'is no RE2 expression: it has a [ without its ]'],
  ['[]', 'is no RE2 expression: it has a [ without its ]'],
  ['[', 'is no RE2 expression: it has a [ without its ]'],
  ['[z-a]', 'is no RE2 expression: it has no range z-a'],
  ['[[:foo:]]', 'is no RE2 expression: it has no characters [:foo:]'],
  ['(a', 'is no RE2 expression: it has a ( without its )'],
  ['a)', 'is no RE2 expression: it has a ) without its ('],
  ['a**', 'is no RE2 expression: it has nothing to repeat before *'],
  ['|+', 'is no RE2 expression: it has nothing to repeat before +'],
])('%s is none that istiod takes', (text, problem) => {
  expect(re2Problem(text)).toBe(problem);
});
