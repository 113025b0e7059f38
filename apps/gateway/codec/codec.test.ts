import { describe, expect, test } from '@jest/globals';
import type { JsonValue } from '@bufbuild/protobuf';
import { status } from '@grpc/grpc-js';
import { codecAt, decode } from './testing/codecs.ts';

describe('paths', () => {
  test.each<[string, string, string, JsonValue]>([
    ['GET', '/v1/path/string/a%2Fb%20c+d', 'PathString', { stringValue: 'a/b c+d' }],
    ['GET', '/v1/path/string/a:b', 'PathString', { stringValue: 'a:b' }],
    [
      'GET',
      '/v1/path/numbers/-7/9007199254740993/18446744073709551615/-1.5e3',
      'PathNumbers',
      {
        int32Value: -7,
        int64Value: '9007199254740993',
        uint64Value: '18446744073709551615',
        doubleValue: -1500,
      },
    ],
    [
      'GET',
      '/v1/path/others/true/KIND_LARGE/-_8',
      'PathOthers',
      { boolValue: true, kind: 'KIND_LARGE', bytesValue: '+/8=' },
    ],
    ['GET', '/v1/path/others/false/-1/', 'none', {}],
    ['GET', '/v1/path/others/false/7/AA', 'PathOthers', { kind: 7, bytesValue: 'AA==' }],
    ['GET', '/v1/path/nested/a/b', 'PathNested', { nested: { name: 'a', child: { name: 'b' } } }],
    ['GET', '/v1/shelves/1', 'PathOneOf', { stringValue: 'shelves/1' }],
    ['GET', '/v1/shelves/1/books/a%2Fb%3Fc', 'PathTwoOf', { stringValue: 'shelves/1/books/a%2Fb?c' }],
    [
      'GET',
      '/v1/two/projects/p/rooms/1/desks/2',
      'PathTwoVariables',
      { stringValue: 'projects/p', nested: { name: 'rooms/1/desks/2' } },
    ],
    ['GET', '/v1/rest/a/b%2fc/d%20e', 'PathRest', { stringValue: 'a/b%2fc/d e' }],
    ['GET', '/v1/rest', 'PathRest', {}],
    ['GET', '/v1/wild/1/middle/2/end/3/4', 'PathWildcards', {}],
    ['POST', '/v1/verbs/a:b:undelete', 'VerbOfVariable', { stringValue: 'a:b' }],
    ['GET', '/v1/verbs/a:b', 'NoVerb', { stringValue: 'a:b' }],
    ['GET', '/v1/verbs/tree/a/b:download', 'VerbOfRest', { stringValue: 'tree/a/b' }],
    ['GET', '/v1/verbs:list', 'VerbOfLiteral', {}],
    ['GET', '/v1/precedence/fixed', 'PrecedenceLiteral', {}],
    ['GET', '/v1/precedence/fixed:act', 'PrecedenceLiteralVerb', {}],
    ['GET', '/v1/precedence/fixed/tail', 'PrecedenceEarlier', { stringValue: 'tail' }],
    ['GET', '/v1/precedence/other/tail', 'PrecedenceLater', { stringValue: 'other' }],
    ['GET', '/v1/precedence/a/b', 'PrecedenceRest', { stringValue: 'a/b' }],
    ['LINK', '/v1/methods/a', 'MethodCustom', { stringValue: 'a' }],
    ['HEAD', '/v1/methods/a', 'MethodHead', { stringValue: 'a' }],
    ['PURGE', '/v1/any/a', 'MethodAny', { stringValue: 'a' }],
    ['GET', '/v1/additional/a/values/b', 'Additional', { nested: { name: 'a' }, stringValue: 'b' }],
  ])('%s %s', (httpMethod, url, method, expected) => {
    expect(decode(httpMethod, url)).toEqual(method === 'none' ? 'none' : [method, expected]);
  });

  test('HEAD has no rule where only GET has one: it is the server that answers it as GET', () => {
    expect(decode('HEAD', '/v1/query')).toBe('method');
  });
});

describe('queries', () => {
  test.each<[string, JsonValue]>([
    ['string_value=a+b%20c%2B', { stringValue: 'a b c+' }],
    ['stringValue=a%26b=c', { stringValue: 'a&b=c' }],
    ['&string_value=&&', {}],
    [
      'nested.child.child.count=9007199254740993',
      { nested: { child: { child: { count: '9007199254740993' } } } },
    ],
    [
      'nested.name=a&nested.kind=1&nested.tags=x&nested.tags=y',
      { nested: { name: 'a', kind: 'KIND_SMALL', tags: ['x', 'y'] } },
    ],
    [
      'repeatedInt32=1&repeated_int32=2&repeatedKind=KIND_SMALL&repeatedKind=-1',
      { repeatedInt32: [1, 2], repeatedKind: ['KIND_SMALL', 'KIND_BELOW_ZERO'] },
    ],
    [
      'timestamp=2026-01-02T03:04:05.5%2B01:00&duration=-1.5s',
      { timestamp: '2026-01-02T02:04:05.500Z', duration: '-1.500s' },
    ],
    ['fieldMask=a,bC.d', { fieldMask: 'a,bC.d' }],
    [
      'int64Wrapper=0&boolWrapper=false&stringWrapper=',
      { int64Wrapper: '0', boolWrapper: false, stringWrapper: '' },
    ],
    [
      'repeatedTimestamp=1970-01-01T00:00:00Z&repeatedInt64Wrapper=5',
      { repeatedTimestamp: ['1970-01-01T00:00:00Z'], repeatedInt64Wrapper: ['5'] },
    ],
    ['doubleValue=NaN&floatValue=-Infinity', { doubleValue: 'NaN', floatValue: '-Infinity' }],
    ['bytesValue=%2B/8=', { bytesValue: '+/8=' }],
    ['choiceString=', { choiceString: '' }],
    ['optionalInt32=0', { optionalInt32: 0 }],
    ['another-name=a', { 'another-name': 'a' }],
    ['int32Value=1e3&uint32Value=1.0', { int32Value: 1000, uint32Value: 1 }],
  ])('%s', (query, expected) => {
    expect(decode('GET', `/v1/query?${query}`)).toEqual(['Query', expected]);
  });

  test('names of JavaScript are names like others', () => {
    const request = JSON.stringify(decode('GET', '/v1/query?constructor=b&__proto__=a&hasOwnProperty=c'));
    expect(request).toBe('["Query",{"__proto__":"a","constructor":"b","hasOwnProperty":"c"}]');
  });
});

describe('bodies', () => {
  test.each<[string, string, string, JsonValue]>([
    ['POST', '/v1/body/all', '', {}],
    [
      'POST',
      '/v1/body/all/p/q',
      '{"string_value":"b","nested":{"name":"b","count":3}}',
      { stringValue: 'p', nested: { name: 'q', count: '3' } },
    ],
    ['POST', '/v1/body/all/p/q', '{"nested":null}', { stringValue: 'p', nested: { name: 'q' } }],
    ['POST', '/v1/body/none?int32Value=3', '{"ignored', { int32Value: 3 }],
    [
      'POST',
      '/v1/body/message/s?int32Value=3',
      '{"name":"a"}',
      { stringValue: 's', int32Value: 3, nested: { name: 'a' } },
    ],
    ['PATCH', '/v1/body/inside/p', '{"name":"b","count":1}', { nested: { name: 'p', count: '1' } }],
    ['PUT', '/v1/body/int64/s', '"5"', { int64Value: '5', stringValue: 's' }],
    ['PUT', '/v1/body/int64/s', ' 5 ', { int64Value: '5', stringValue: 's' }],
    ['PUT', '/v1/body/int64/s', 'null', { stringValue: 's' }],
    ['PUT', '/v1/body/repeated-string/s', '["a","b"]', { stringValue: 's', repeatedString: ['a', 'b'] }],
    [
      'PUT',
      '/v1/body/repeated-message/s',
      '[{"name":"a"},{}]',
      { stringValue: 's', repeatedNested: [{ name: 'a' }, {}] },
    ],
    ['PUT', '/v1/body/map/s', '{"a":{"name":"b"}}', { stringValue: 's', nestedMap: { a: { name: 'b' } } }],
    ['PUT', '/v1/body/value/s', 'null', { stringValue: 's', value: null }],
    ['PUT', '/v1/body/wrapper/s', '"0"', { stringValue: 's', int64Wrapper: '0' }],
  ])('%s %s %s', (httpMethod, url, body, expected) => {
    expect(decode(httpMethod, url, body)).toEqual([expect.any(String), expected]);
  });
});

describe('answers', () => {
  const every = {
    stringValue: 'a',
    int64Value: '5',
    doubleValue: 'NaN',
    kind: 'KIND_LARGE',
    nested: { name: 'n' },
    repeatedString: ['x'],
    repeatedInt64: ['1', '2'],
    nestedMap: { k: {} },
    timestamp: '1970-01-01T00:00:01Z',
    struct: { a: [null, 1] },
    value: [true],
    int64Wrapper: '7',
    optionalString: 'o',
    bytesValue: 'AA==',
  };
  const nested = { name: 'n', count: '0', tags: [], kind: 'KIND_UNSPECIFIED' };
  test.each<[string, JsonValue, JsonValue]>([
    ['string', 'a', ''],
    ['int64', '5', '0'],
    ['double', 'NaN', 0],
    ['bytes', 'AA==', ''],
    ['kind', 'KIND_LARGE', 'KIND_UNSPECIFIED'],
    ['message', nested, null],
    ['repeated-string', ['x'], []],
    ['repeated-int64', ['1', '2'], []],
    ['repeated-message', [], []],
    ['map', { k: { ...nested, name: '' } }, {}],
    ['timestamp', '1970-01-01T00:00:01Z', null],
    ['struct', { a: [null, 1] }, null],
    ['value', [true], null],
    ['wrapper', '7', null],
    ['optional', 'o', null],
  ])('of the part %s', (name, full, empty) => {
    const codec = codecAt('POST', `/v1/response/${name}`);
    const bytes = codec.decode({ path: [], query: '', body: Buffer.from(JSON.stringify(every)) });
    expect(JSON.parse(Buffer.from(codec.encode(bytes)).toString())).toEqual(full);
    expect(JSON.parse(Buffer.from(codec.encode(new Uint8Array())).toString())).toEqual(empty);
  });

  test('malformed ones are INTERNAL', () => {
    const codec = codecAt('POST', '/v1/response/whole');
    for (const bytes of [[0xff], [0x72, 5, 0x61], [0x72, 1, 0xff], [0x07]]) {
      expect(() => codec.encode(Uint8Array.from(bytes))).toThrow(
        expect.objectContaining({ name: 'StatusError', code: status.INTERNAL }),
      );
    }
  });
});
