import { describe, expect, test } from '@jest/globals';
import { library } from '../../../http-rule/testing/library.ts';
import type { Rule } from '../../../http-rule/testing/library.ts';
import { bindingsOf, routerOf } from './bindings.ts';

const fields =
  'name, main_author, page_count, copies, weight, kind, tags, publish_time, loan, mask, in_print, rare, cover, authors, ' +
  'scores, shelf, box, extra, second_author';

describe('a wrong option', () => {
  test.each<[Rule, string]>([
    [
      { body: '*' },
      'test.Library/M: the google.api.http option has no pattern; allowed one of get, put, post, delete, patch and ' +
        'custom; fix: add one, such as get: "/v1/books/{id}"',
    ],
    [
      { pattern: { case: 'get', value: '/v1/{' } },
      'test.Library/M: path template: a field name expected at offset 5; received "/v1/{"; ' +
        'fix: see "Path template syntax" in google/api/http.proto',
    ],
    [
      { pattern: { case: 'get', value: '/v1/{nme}' } },
      `test.Library/M: variable nme: test.Book has no field "nme"; received "/v1/{nme}"; allowed ${fields}`,
    ],
    [
      { pattern: { case: 'get', value: '/v1/{name.x}' } },
      'test.Library/M: variable name.x: name is not a message, so it has no field "x"; received "/v1/{name.x}"',
    ],
    [
      { pattern: { case: 'get', value: '/v1/{tags}' } },
      'test.Library/M: variable tags: a path cannot hold a field of this kind; received "/v1/{tags}"; ' +
        'allowed a scalar, an enum, a wrapper, Timestamp, Duration or FieldMask, not repeated',
    ],
    [
      { pattern: { case: 'get', value: '/v1/{main_author}' } },
      'test.Library/M: variable main_author: a path cannot hold a field of this kind; received "/v1/{main_author}"; ' +
        'allowed a scalar, an enum, a wrapper, Timestamp, Duration or FieldMask, not repeated',
    ],
    [
      { pattern: { case: 'post', value: '/v1' }, body: 'bok' },
      `test.Library/M: body of POST /v1: test.Book has no field "bok"; received "bok"; allowed *, or ${fields}`,
    ],
    [
      { pattern: { case: 'post', value: '/v1' }, responseBody: 'bok' },
      `test.Library/M: response_body of POST /v1: test.Book has no field "bok"; received "bok"; allowed ${fields}`,
    ],
    [
      {
        pattern: { case: 'get', value: '/v1/{name}' },
        additionalBindings: [{ pattern: { case: 'get', value: '/v1/{shelf}' } }],
      },
      'test.Library/M: the HTTP method and path are also those of GET /v1/{name} of test.Library/M; ' +
        'received "GET /v1/{shelf}"; fix: change the path of one of them',
    ],
  ])('%j', (rule, message) => {
    expect(() => bindingsOf([library({ M: rule }).service])).toThrow(new Error(message));
  });

  test('is told with all others', () => {
    const { service } = library({
      A: { pattern: { case: 'get', value: 'v1' } },
      B: { pattern: { case: 'get', value: '/docs' } },
    });
    expect(() => bindingsOf([service])).toThrow(
      new Error(
        'test.Library/A: path template: "/" expected at offset 0; received "v1"; ' +
          'fix: see "Path template syntax" in google/api/http.proto\n' +
          'test.Library/B: the path takes /docs, which the gateway itself answers; received "/docs"; ' +
          'fix: begin it with a prefix such as /v1',
      ),
    );
  });
});

test.each([
  ['/docs', '/docs'],
  ['/{name}', '/healthz'],
  ['/{name=**}', '/healthz'],
  ['/openapi%2Ejson', '/openapi.json'],
])('a binding of %s is refused: it takes %s', (template, taken) => {
  const { service } = library({ M: { pattern: { case: 'post', value: template } } });
  expect(() => bindingsOf([service])).toThrow(
    new Error(
      `test.Library/M: the path takes ${taken}, which the gateway itself answers; received "${template}"; ` +
        'fix: begin it with a prefix such as /v1',
    ),
  );
});

test('the router refuses bindings that the check has not seen', () => {
  const { service } = library({ M: { pattern: { case: 'get', value: '/v1/{name}' } } });
  const [binding] = bindingsOf([service]);
  expect(() => routerOf([binding!, binding!])).toThrow('another route has this method and an equal path');
});
