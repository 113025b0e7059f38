import { describe, expect, test } from '@jest/globals';
import { status } from '@grpc/grpc-js';
import { toJson } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { StatusError } from '../runtime/status.ts';
import { library } from '../testing/library.ts';
import type { Rule } from '../testing/library.ts';
import { routerOf } from './bindings.ts';
import { decodeRequest, parseBody } from './request.ts';

const { service, registry } = library({
  Get: { pattern: { case: 'get', value: '/v1/{name=shelves/*/books/*}' } },
  ByAuthor: { pattern: { case: 'get', value: '/v1/authors/{main_author.id}/kinds/{kind}' } },
  Search: { pattern: { case: 'get', value: '/v1/books' } },
  Create: { pattern: { case: 'post', value: '/v1/books' }, body: '*' },
  Update: { pattern: { case: 'patch', value: '/v1/{main_author.id}/books' }, body: '*' },
  SetAuthor: { pattern: { case: 'put', value: '/v1/books/{name}/author' }, body: 'main_author' },
  SetTags: {
    pattern: { case: 'put', value: '/v1/books/{name}/tags' },
    body: 'tags',
    additionalBindings: [
      { pattern: { case: 'custom', value: { kind: 'TAG', path: '/v1/{name}' } }, body: 'tags' },
    ],
  },
});
const router = routerOf([service]);

/** The gRPC request that comes of an HTTP request, in JSON. */
function decode(method: string, url: string, text = ''): unknown {
  const [path = '', query = ''] = url.split('?');
  const found = router.find(method, path);
  if (found.kind !== 'route') return found.kind;
  const parts = { path: found.path, query, body: parseBody(Buffer.from(text)) };
  return toJson(found.target.method.input, decodeRequest(found.target, parts, registry));
}

describe('decodeRequest', () => {
  test.each<[string, string, string, unknown]>([
    ['GET', '/v1/shelves/1/books/2', '', { name: 'shelves/1/books/2' }],
    ['GET', '/v1/authors/a%2F1/kinds/KIND_NOVEL', '', { mainAuthor: { id: 'a/1' }, kind: 'KIND_NOVEL' }],
    ['GET', '/v1/authors/a/kinds/1', '', { mainAuthor: { id: 'a' }, kind: 'KIND_NOVEL' }],
    ['GET', '/v1/books', '', {}],
    [
      'GET',
      '/v1/books?name=a+b%26c&page_count=7&copies=9007199254740993',
      '',
      { name: 'a b&c', pageCount: 7, copies: '9007199254740993' },
    ],
    ['GET', '/v1/books?pageCount=7&weight=1.5&rare=true', '', { pageCount: 7, weight: 1.5, rare: true }],
    ['GET', '/v1/books?tags=a&scores=1&tags=b&scores=2', '', { tags: ['a', 'b'], scores: [1, 2] }],
    [
      'GET',
      '/v1/books?main_author.id=7&mainAuthor.displayName=Ann&second_author.id=8',
      '',
      { mainAuthor: { id: '7', displayName: 'Ann' }, secondAuthor: { id: '8' } },
    ],
    [
      'GET',
      '/v1/books?publish_time=2026-01-02T03:04:05Z&loan=3.5s&mask=a,b.c&in_print=false',
      '',
      { publishTime: '2026-01-02T03:04:05Z', loan: '3.500s', mask: 'a,b.c', inPrint: false },
    ],
    ['GET', '/v1/books?kind=1&cover=-_8', '', { kind: 'KIND_NOVEL', cover: '+/8=' }],
    ['POST', '/v1/books', '{"page_count":3,"extra":{"a":"b"}}', { pageCount: 3, extra: { a: 'b' } }],
    ['POST', '/v1/books', '', {}],
    [
      'PATCH',
      '/v1/7/books',
      '{"name":"n","main_author":{"id":"8","displayName":"Ann"}}',
      { name: 'n', mainAuthor: { id: '7', displayName: 'Ann' } },
    ],
    ['PATCH', '/v1/7/books', '{"mainAuthor":null}', { mainAuthor: { id: '7' } }],
    ['PUT', '/v1/books/n/author', '{"id":"7"}', { name: 'n', mainAuthor: { id: '7' } }],
    ['PUT', '/v1/books/n/author?page_count=3', '', { name: 'n', pageCount: 3 }],
    ['PUT', '/v1/books/n/tags', '["a"]', { name: 'n', tags: ['a'] }],
    ['TAG', '/v1/n', '["a"]', { name: 'n', tags: ['a'] }],
  ])('%s %s %s', (method, url, body, expected) => {
    expect(decode(method, url, body)).toEqual(expected);
  });

  test.each<[string, string, string, string]>([
    ['GET', '/v1/books?nme=a', '', 'query parameter "nme": test.Book has no such field'],
    ['GET', '/v1/books?name.x=a', '', 'query parameter "name.x": test.Book has no such field'],
    ['GET', '/v1/books?__proto__.x=a', '', 'query parameter "__proto__.x": test.Book has no such field'],
    [
      'GET',
      '/v1/books?main_author=a',
      '',
      'query parameter "main_author": a query cannot hold a field of this kind',
    ],
    ['GET', '/v1/books?authors=a', '', 'query parameter "authors": a query cannot hold a field of this kind'],
    ['GET', '/v1/books?extra=a', '', 'query parameter "extra": a query cannot hold a field of this kind'],
    ['GET', '/v1/books?name=a&name=b', '', 'query parameter "name": given more than once'],
    ['GET', '/v1/books?pageCount=1&page_count=2', '', 'query parameter "page_count": given more than once'],
    ['GET', '/v1/shelves/1/books/2?name=x', '', 'query parameter "name": this field is in the path'],
    ['POST', '/v1/books?name=x', '{}', 'query parameter "name": all fields come from the body and the path'],
    [
      'PUT',
      '/v1/books/n/author?main_author.id=1',
      '{}',
      'query parameter "main_author.id": this field is the body',
    ],
    [
      'GET',
      '/v1/books?page_count=seven',
      '',
      'cannot decode field test.Book.page_count from JSON: expected number (int32), got "seven"',
    ],
    [
      'GET',
      '/v1/books?page_count=2147483648',
      '',
      'cannot decode field test.Book.page_count from JSON: expected number (int32): 2147483648 out of range',
    ],
    [
      'GET',
      '/v1/books?rare=yes',
      '',
      'cannot decode field test.Book.rare from JSON: expected boolean, got "yes"',
    ],
    [
      'GET',
      '/v1/books?shelf=a&box=b',
      '',
      'cannot decode oneof test.Book.place from JSON: oneof set multiple times by shelf and box',
    ],
    ['GET', '/v1/authors/a/kinds/KIND_X', '', 'cannot decode enum test.Kind from JSON: "KIND_X"'],
    ['POST', '/v1/books', '{"nme":1}', 'cannot decode message test.Book from JSON: key "nme" is unknown'],
    ['POST', '/v1/books', '[]', 'body: a JSON object expected, the fields of test.Book'],
    ['PATCH', '/v1/7/books', '{"main_author":"Ann"}', 'main_author: a JSON object expected'],
    ['GET', '/v1/authors/%ff/kinds/1', '', 'path: malformed percent-encoding in "%ff"'],
  ])('refuses %s %s %s', (method, url, body, message) => {
    expect(() => decode(method, url, body)).toThrow(
      expect.objectContaining({ name: 'StatusError', code: status.INVALID_ARGUMENT, message }),
    );
  });

  test('throws nothing but INVALID_ARGUMENT, whatever the query and the body', () => {
    const name = fc.oneof(
      fc.constantFrom(...service.method['search']!.input.fields.map((field) => field.name)),
      fc.constantFrom('main_author.id', 'mainAuthor.id', '__proto__', 'constructor', 'main_author.__proto__'),
      fc.string(),
    );
    const text = fc.oneof(
      fc.string(),
      fc.constantFrom('1', '-1', 'true', 'NaN', '1e999', '2026-01-02T03:04:05Z'),
    );
    const query = fc.array(fc.tuple(name, text)).map((pairs) => new URLSearchParams(pairs).toString());
    const body = fc.oneof(
      fc.json(),
      fc.string(),
      fc.dictionary(name, fc.jsonValue()).map((value) => JSON.stringify(value)),
    );
    const onlyInvalid = (action: () => unknown) => {
      try {
        action();
      } catch (error) {
        expect(error).toBeInstanceOf(StatusError);
        expect((error as StatusError).code).toBe(status.INVALID_ARGUMENT);
      }
    };
    fc.assert(
      fc.property(query, body, (someQuery, someBody) => {
        onlyInvalid(() => decode('GET', `/v1/books?${someQuery}`));
        onlyInvalid(() => decode('POST', '/v1/books', someBody));
        onlyInvalid(() => decode('PATCH', '/v1/7/books', someBody));
        onlyInvalid(() => decode('PUT', `/v1/books/n/tags?${someQuery}`, someBody));
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('parseBody', () => {
  test.each([
    [Buffer.from('{'), "body: Expected property name or '}' in JSON at position 1 (line 1 column 2)"],
    [Buffer.from([0x22, 0xff, 0x22]), 'body: not UTF-8'],
  ])('refuses %j', (bytes, message) => {
    expect(() => parseBody(bytes)).toThrow(
      expect.objectContaining({ code: status.INVALID_ARGUMENT, message }),
    );
  });

  test('a body nested without end is refused, not followed', () => {
    const deep = `{"extra":${'['.repeat(100_000)}${']'.repeat(100_000)}}`;
    expect(() => decode('POST', '/v1/books', deep)).toThrow(
      expect.objectContaining({ code: status.INVALID_ARGUMENT }),
    );
  });
});

describe('a wrong option', () => {
  test.each<[Rule, string]>([
    [{ body: '*' }, 'test.Library/M: the google.api.http option has no pattern'],
    [
      { pattern: { case: 'get', value: '/v1/{' } },
      'test.Library/M: path template "/v1/{": a field name expected at offset 5',
    ],
    [{ pattern: { case: 'get', value: '/v1/{nme}' } }, 'test.Library/M: test.Book has no field "nme"'],
    [
      { pattern: { case: 'get', value: '/v1/{name.x}' } },
      'test.Library/M: variable name.x: name is no message',
    ],
    [
      { pattern: { case: 'get', value: '/v1/{tags}' } },
      'test.Library/M: variable tags: a path cannot hold a field of this kind',
    ],
    [
      { pattern: { case: 'get', value: '/v1/{main_author}' } },
      'test.Library/M: variable main_author: a path cannot hold a field of this kind',
    ],
    [
      { pattern: { case: 'post', value: '/v1' }, body: 'bok' },
      'test.Library/M: test.Book has no field "bok"',
    ],
    [
      { pattern: { case: 'post', value: '/v1' }, responseBody: 'bok' },
      'test.Library/M: test.Book has no field "bok"',
    ],
    [
      {
        pattern: { case: 'get', value: '/v1/{name}' },
        additionalBindings: [{ pattern: { case: 'get', value: '/v1/{shelf}' } }],
      },
      'test.Library/M: another route has this method and an equal path',
    ],
  ])('%j', (rule, message) => {
    expect(() => routerOf([library({ M: rule }).service])).toThrow(message);
  });
});
