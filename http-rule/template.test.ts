import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { TemplateError, parseTemplate } from './template.ts';

describe('parseTemplate', () => {
  test('reads every kind of segment, variables and the verb', () => {
    expect(parseTemplate('/v1/{book.name=shelves/*/books/**}:read')).toEqual({
      segments: [
        { kind: 'literal', text: 'v1' },
        { kind: 'literal', text: 'shelves' },
        { kind: 'one' },
        { kind: 'literal', text: 'books' },
        { kind: 'rest' },
      ],
      variables: [{ fieldPath: ['book', 'name'], start: 1, end: 5 }],
      verb: 'read',
    });
  });

  test.each([
    ['', '"/" expected at offset 0'],
    ['v1', '"/" expected at offset 0'],
    ['/', 'a segment expected at offset 1'],
    ['/v1/', 'a segment expected at offset 4'],
    ['/v1//a', 'a segment expected at offset 4'],
    ['/v1/a b', 'the end of the template expected at offset 5'],
    ['/v1/{}', 'a field name expected at offset 5'],
    ['/v1/{1a}', 'a field name expected at offset 5'],
    ['/v1/{a.}', 'a field name expected at offset 7'],
    ['/v1/{a', '"}" expected at offset 6'],
    ['/v1/{a=}', 'a segment expected at offset 7'],
    ['/v1/{a={b}}', 'a variable may not be inside another at offset 7'],
    ['/v1/{a}/{a}', 'the variable a appears twice at offset 11'],
    ['/v1/**/a', 'nothing may follow "**" at offset 7'],
    ['/v1/{a=**}/b', 'nothing may follow "**" at offset 11'],
    ['/v1/a:', 'a verb expected at offset 6'],
    ['/v1/a:b:c', 'the end of the template expected at offset 7'],
    ['/v1/%zz', 'percent-encoding is malformed at offset 7'],
  ])('%j', (template, what) => {
    expect(() => parseTemplate(template)).toThrow(
      expect.objectContaining({
        name: 'TemplateError',
        message: `path template ${JSON.stringify(template)}: ${what}`,
      }),
    );
  });

  test('throws nothing but TemplateError, whatever the text', () => {
    const piece = fc.constantFrom('/', '*', '**', '{', '}', '=', ':', '.', 'a', 'b1', '%41', '%', ' ', 'ü');
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(piece).map((pieces) => `/${pieces.join('')}`),
        ),
        (text) => {
          try {
            parseTemplate(text);
          } catch (error) {
            expect(error).toBeInstanceOf(TemplateError);
          }
        },
      ),
      { numRuns: 2_000 },
    );
  });
});
