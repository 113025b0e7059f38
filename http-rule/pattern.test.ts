import { describe, expect, test } from '@jest/globals';
import { patternName, patternsOf, readRules } from './pattern.ts';
import { library, withBindings } from './testing/library.ts';
import type { Rule } from './testing/library.ts';

const method = (rule: Rule | undefined) => library({ M: rule }).service.methods[0]!;
const names = (rule: Rule | undefined) => patternsOf(method(rule)).map(patternName);
const get = (value: string): Rule => ({ pattern: { case: 'get', value } });
const custom = (kind: string, path: string): Rule => ({ pattern: { case: 'custom', value: { kind, path } } });

test('every kind of pattern, additional bindings included', () => {
  const kinds = (['get', 'put', 'post', 'delete', 'patch'] as const).map((kind): Rule => ({
    pattern: { case: kind, value: '/v1/{name}' },
  }));
  const [first, ...others] = [...kinds, custom('REPORT', '/v1/all'), custom('*', '/v1/any:do')];
  expect(names(withBindings(first, others))).toEqual([
    'GET /v1/{name}',
    'PUT /v1/{name}',
    'POST /v1/{name}',
    'DELETE /v1/{name}',
    'PATCH /v1/{name}',
    'REPORT /v1/all',
    '* /v1/any:do',
  ]);
  expect(patternsOf(method(first)).map(({ template }) => template)).toEqual([
    {
      segments: [{ kind: 'literal', text: 'v1' }, { kind: 'one' }],
      variables: [{ fieldPath: ['name'], start: 1, end: 2 }],
      verb: undefined,
    },
  ]);
});

test('a method without the option has none', () => {
  expect(names(undefined)).toEqual([]);
});

test('templates that break the grammar are left out', () => {
  const rule: Rule = withBindings(get('/v1/a/{id}'), [get('/v1/b/{id')]);
  expect(names(rule)).toEqual(['GET /v1/a/{id}']);
  for (const template of ['v1/a', '/v1/**/a', '/', '/v1/a/']) expect(names(get(template))).toEqual([]);
});

describe('problems', () => {
  const problemsOf = (rule: Rule) => readRules(method(rule)).flatMap(({ problems }) => problems);

  test('with where they are in the template', () => {
    const asked = method(withBindings(get('/v1/b/{id'), [get('/v1/%zz')]));
    const fix = 'see "Path template syntax" in google/api/http.proto';
    expect(readRules(asked).flatMap(({ problems }) => problems)).toEqual([
      {
        method: asked,
        template: '/v1/b/{id',
        offset: 9,
        what: 'path template: "}" expected at offset 9',
        received: '/v1/b/{id',
        fix,
      },
      {
        method: asked,
        template: '/v1/%zz',
        offset: 7,
        what: 'path template: percent-encoding is malformed at offset 7',
        received: '/v1/%zz',
        fix,
      },
    ]);
  });

  test.each([[''], ['A B'], ['GET,POST']])('the HTTP method %j', (kind) => {
    expect(problemsOf(custom(kind, '/v1/a'))).toMatchObject([
      {
        template: '/v1/a',
        what: 'custom.kind is not an HTTP method',
        received: kind,
        allowed: 'a name such as REPORT, or * for every method',
        fix: 'correct it',
      },
    ]);
    expect(names(custom(kind, '/v1/a'))).toEqual([]);
  });

  test('of additional bindings: no pattern, and more of them', () => {
    const nested = withBindings(get('/v1/b'), [get('/v1/c')]);
    expect(problemsOf(withBindings(get('/v1/a'), [{ body: '*' }, nested]))).toMatchObject([
      {
        template: undefined,
        what: 'additional_bindings[0] has no pattern',
        allowed: 'one of get, put, post, delete, patch and custom',
        fix: 'add one, such as get: "/v1/books/{id}"',
      },
      {
        template: '/v1/b',
        what: 'additional_bindings[1] has additional_bindings of its own',
        fix: 'list them in the additional_bindings of the option itself',
      },
    ]);
  });
});
