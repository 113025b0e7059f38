import { describe, expect, test } from '@jest/globals';
import { patternsOf } from '../../../http-rule/pattern.ts';
import type { Pattern } from '../../../http-rule/pattern.ts';
import { libraryOf } from '../../testing/library.ts';
import { indistinguishable, istioPaths, pathRegex } from './istio-paths.ts';

const pattern = (template: string): Pattern =>
  patternsOf(libraryOf({ Get: { pattern: { case: 'get', value: template } } }).methods[0]!)[0]!;

describe('a path template as Istio has it', () => {
  test.each([
    ['/v1/products', ['/v1/products']],
    ['/v1/prices:watch', ['/v1/prices:watch']],
    ['/v1/products/{id}', ['/v1/products/{*}']],
    ['/v1/{parent=shelves/*}/books/{id}', ['/v1/shelves/{*}/books/{*}']],
    ['/v1/{name=files/**}', ['/v1/files', '/v1/files/{**}']],
    ['/v1/{a.b}/prices:watch', ['/v1/{*}/prices:watch']],
    // As a client writes it whose percent-encoding is the shortest; a wild card of Istio's is none of the path's.
    ['/v1/caf%c3%a9/%41%2A:%7Ba', ['/v1/caf%C3%A9/A%2A:%7Ba']],
    // An operator has to be a whole segment there: this takes in more, which indistinguishable knows.
    ['/v1/products/{id}:reserve', ['/v1/products/{*}']],
  ])('%s', (template, paths) => {
    expect(istioPaths(pattern(template))).toEqual(paths);
  });
});

describe('a regular expression for a template', () => {
  const matches = (template: string, path: string) =>
    new RegExp(`^(?:${pathRegex(pattern(template))})$`).test(path);
  test.each([
    ['/v1/products/{id}', '/v1/products/p-1', true],
    ['/v1/products/{id}', '/v1/products/p-1?view=full', true],
    ['/v1/products/{id}', '/v1/products/', false],
    ['/v1/products/{id}', '/v1/products/p-1/more', false],
    ['/v1/products/{id}:buy', '/v1/products/p-1:buy', true],
    ['/v1/products/{id}:buy', '/v1/products/p-1', false],
    ['/v1/a.b', '/v1/axb', false],
    ['/v1/{name=files/**}', '/v1/files', true],
    ['/v1/{name=files/**}', '/v1/files/a/b?c=d', true],
    ['/v1/{name=files/**}', '/v1/filesystem', false],
  ])('%s of %s: %s', (template, path, expected) => {
    expect(matches(template, path)).toBe(expected);
  });
});

describe('two templates that the gateways cannot tell apart', () => {
  test.each([
    ['/v1/products/{id}', '/v1/products', false],
    ['/v1/products/{id}', '/v1/orders/{id}', false],
    ['/v1/products/{id}', '/v1/products/special', true],
    ['/v1/products/{id}:buy', '/v1/products/{id}', true],
    ['/v1/products:buy', '/v1/products', false],
    ['/v1/caf%C3%A9', '/v1/caf%c3%a9', true],
    ['/v1/{name=**}', '/v1/a/b/c', true],
    ['/v1/{name=**}', '/v1', true],
    ['/v1/{name=**}', '/v2/a', false],
  ])('%s and %s: %s', (a, b, expected) => {
    expect(indistinguishable(pattern(a), pattern(b))).toBe(expected);
    expect(indistinguishable(pattern(b), pattern(a))).toBe(expected);
  });

  test('unless their HTTP methods differ', () => {
    const get = pattern('/v1/a');
    expect(indistinguishable(get, { ...get, httpMethod: 'POST' })).toBe(false);
    expect(indistinguishable(get, { ...get, httpMethod: '*' })).toBe(true);
  });
});
