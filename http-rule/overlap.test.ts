import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { overlap, takes } from './overlap.ts';
import { parseTemplate } from './template.ts';
import { literalText } from './template-text.ts';

describe('whether some path fits two templates', () => {
  test.each([
    ['/v1/a', '/v1/a', true],
    ['/v1/a', '/v1/b', false],
    ['/v1/a', '/v1/a/b', false],
    ['/v1/a', '/v1/*', true],
    ['/v1/*/x', '/v1/a/*', true],
    ['/v1/*/x', '/v1/a/y', false],
    ['/v1/**', '/v1', true],
    ['/v1/**', '/v1/a/b/c', true],
    ['/v1/**', '/v2', false],
    ['/v1/%41', '/v1/A', true],
  ])('%s and %s: %s', (a, b, expected) => {
    const [one, other] = [parseTemplate(a).segments, parseTemplate(b).segments];
    expect(overlap(one, other)).toBe(expected);
    expect(overlap(other, one)).toBe(expected);
  });
});

test.each([
  ['/healthz', '/healthz', true],
  ['/{name}', '/healthz', true],
  ['/{name=**}', '/healthz', true],
  ['/healthz/**', '/healthz', true],
  ['/health%7A', '/healthz', true],
  ['/{name}:do', '/healthz', false],
  ['/*/*', '/healthz', false],
  ['/docs', '/healthz', false],
])('%s takes %s: %s', (template, path, expected) => {
  expect(takes(parseTemplate(template), path)).toBe(expected);
});

test('a literal is read again as what was written', () => {
  const text = fc.string({ minLength: 1, unit: 'grapheme' });
  fc.assert(
    fc.property(text, text, (literal, verb) => {
      expect(parseTemplate(`/${literalText(literal)}:${literalText(verb)}`)).toEqual({
        segments: [{ kind: 'literal', text: literal }],
        variables: [],
        verb,
      });
    }),
  );
  expect(literalText("a-._~!$&'()+,;@Z9")).toBe("a-._~!$&'()+,;@Z9");
  expect(literalText('é/*{:')).toBe('%C3%A9%2F%2A%7B%3A');
});
