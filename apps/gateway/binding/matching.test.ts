import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseTemplate } from '../../../http-rule/template.ts';
import type { Segment } from '../../../http-rule/template.ts';
import { variableValues } from '../codec/path.ts';
import { Router } from './router.ts';

/** The variables of a path, or undefined when the template does not match it. */
function match(template: string, path: string): Record<string, string> | undefined {
  const router = new Router<null>();
  const parsed = parseTemplate(template);
  router.add('GET', parsed, null);
  const found = router.find('GET', path);
  if (found.kind !== 'route') return undefined;
  const names = parsed.variables.map((variable) => variable.fieldPath.join('.'));
  return Object.fromEntries(
    variableValues(parsed, found.path).map((value, index): [string, string] => [names[index] ?? '', value]),
  );
}

describe('matching', () => {
  test.each<[string, string, Record<string, string> | undefined]>([
    ['/v1/products', '/v1/products', {}],
    ['/v1/products', '/v1/products/', undefined],
    ['/v1/products', '/v1', undefined],
    ['/v1/products/{id}', '/v1/products/p-1', { id: 'p-1' }],
    ['/v1/products/{id}', '/v1/products/', undefined],
    ['/v1/products/{id}', '/v1/products/a/b', undefined],
    ['/v1/products/{id}', '/v1/products/a%2Fb%20c', { id: 'a/b c' }],
    ['/v1/products/{id}', '/v1/products/%C3%BC+', { id: 'ü+' }],
    ['/v1/products/{id}', '/v1/products/a:b', { id: 'a:b' }],
    ['/v1/{name=shelves/*}', '/v1/shelves/1', { name: 'shelves/1' }],
    ['/v1/{name=shelves/*}', '/v1/shelves/a%2Fb%20c', { name: 'shelves/a%2Fb c' }],
    ['/v1/{name=shelves/*/books/*}/x', '/v1/shelves/1/books/2/x', { name: 'shelves/1/books/2' }],
    ['/v1/{name=**}', '/v1/a/b%2fc/d%20e', { name: 'a/b%2fc/d e' }],
    ['/v1/{name=**}', '/v1', { name: '' }],
    ['/v1/{name=files/**}', '/v1/files/a/b', { name: 'files/a/b' }],
    ['/v1/prices:watch', '/v1/prices:watch', {}],
    ['/v1/prices:watch', '/v1/prices:%77atch', {}],
    ['/v1/prices:watch', '/v1/prices%3Awatch', undefined],
    ['/v1/prices:watch', '/v1/prices', undefined],
    ['/v1/{name=**}:read', '/v1/a/b:read', { name: 'a/b' }],
    ['/v1/{a}/{b}:do', '/v1/1:2/3:do', { a: '1:2', b: '3' }],
    ['/v1/%41', '/v1/A', {}],
    ['/v1/*/x', '/v1/anything/x', {}],
    ['/v1/products', 'v1/products', undefined],
    ['/v1/products', '*', undefined],
  ])('%s with %s', (template, path, expected) => {
    expect(match(template, path)).toEqual(expected);
  });

  test('malformed percent-encoding is said so', () => {
    expect(() => match('/v1/{id}', '/v1/%zz')).toThrow('path: malformed percent-encoding in "%zz"');
    expect(() => match('/v1/{id=**}', '/v1/x/%zz')).toThrow('path: malformed percent-encoding in "%zz"');
  });

  test('brings back the values that made a path', () => {
    const value = fc.string({ minLength: 1, unit: 'grapheme' });
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 5 }), (values) => {
        const template = values.map((_, index) => `/lit${index}/{f${index}}`).join('');
        const path = values.map((each, index) => `/lit${index}/${encodeURIComponent(each)}`).join('');
        expect(match(template, path)).toEqual(
          Object.fromEntries(values.map((each, index) => [`f${index}`, each])),
        );
      }),
    );
  });

  test('a template matches the paths made from it, and its variables cover them', () => {
    const word = fc.stringMatching(/^[a-z][a-z0-9-]{0,5}$/);
    const segment = fc.oneof(
      word.map((text): Segment => ({ kind: 'literal', text })),
      fc.constant<Segment>({ kind: 'one' }),
    );
    fc.assert(
      fc.property(
        fc.array(segment, { minLength: 1, maxLength: 6 }),
        fc.boolean(),
        word,
        (segments, rest, verb) => {
          const written = segments.map((each) => (each.kind === 'literal' ? each.text : '*'));
          const template = `/{all=${[...written, ...(rest ? ['**'] : [])].join('/')}}:${verb}`;
          expect(parseTemplate(template).segments).toEqual([
            ...segments,
            ...(rest ? [{ kind: 'rest' }] : []),
          ]);
          const path = [
            ...written.map((each) => (each === '*' ? 'x' : each)),
            ...(rest ? ['y', 'z'] : []),
          ].join('/');
          expect(match(template, `/${path}:${verb}`)).toEqual({ all: path });
          expect(match(template, `/${path}`)).toBeUndefined();
        },
      ),
    );
  });
});
