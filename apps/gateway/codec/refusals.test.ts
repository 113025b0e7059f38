import { describe, expect, test } from '@jest/globals';
import { status } from '@grpc/grpc-js';
import { BadRequestSchema } from '../../../gen/google/rpc/error_details_pb.js';
import type { StatusError } from '../../runtime/status.ts';
import { findDetail } from '../../runtime/status.ts';
import { codecAt, decode } from './testing/codecs.ts';

describe('refusals', () => {
  test.each<[string, string, string, string, string]>([
    [
      'GET',
      '/v1/query?strng_value=a',
      '',
      'query parameter "strng_value": conformance.v1.EveryKind has no such field; did you mean "string_value"?',
      '',
    ],
    [
      'GET',
      '/v1/query?nested.chld.name=a',
      '',
      'query parameter "nested.chld.name": conformance.v1.Nested has no such field; did you mean "nested.child"?',
      '',
    ],
    [
      'GET',
      '/v1/query?stringValue.x=a',
      '',
      'query parameter "stringValue.x": string_value has no fields of its own',
      '',
    ],
    [
      'GET',
      '/v1/query?nested=a',
      '',
      'query parameter "nested": a query cannot hold a field of this kind',
      'nested',
    ],
    [
      'GET',
      '/v1/query?repeatedNested=a',
      '',
      'query parameter "repeatedNested": a query cannot hold a field of this kind',
      'repeatedNested',
    ],
    [
      'GET',
      '/v1/query?kindMap=a',
      '',
      'query parameter "kindMap": a query cannot hold a field of this kind',
      'kindMap',
    ],
    [
      'GET',
      '/v1/query?stringValue=a&string_value=b',
      '',
      'query parameter "string_value": given more than once',
      'stringValue',
    ],
    [
      'GET',
      '/v1/query?choiceString=a&choiceInt64=1',
      '',
      'query parameter "choiceInt64": choiceString of the same oneof is also given',
      'choiceInt64',
    ],
    ['GET', '/v1/query?stringValue=%zz', '', 'query: malformed percent-encoding', ''],
    ['GET', '/v1/query?stringValue=%ff', '', 'query: malformed percent-encoding', ''],
    [
      'GET',
      '/v1/query?int32Value=seven',
      '',
      'query parameter "int32Value": an int32 expected',
      'int32Value',
    ],
    [
      'GET',
      '/v1/query?int32Value=2147483648',
      '',
      'query parameter "int32Value": an int32 expected, out of range',
      'int32Value',
    ],
    ['GET', '/v1/query?int32Value=0x10', '', 'query parameter "int32Value": an int32 expected', 'int32Value'],
    [
      'GET',
      '/v1/query?boolValue=yes',
      '',
      'query parameter "boolValue": true or false expected',
      'boolValue',
    ],
    [
      'GET',
      '/v1/query?kind=KIND_SMAL',
      '',
      'query parameter "kind": a value of conformance.v1.Kind expected; did you mean "KIND_SMALL"?',
      'kind',
    ],
    [
      'GET',
      '/v1/query?timestamp=now',
      '',
      'query parameter "timestamp": a time in RFC 3339 format expected, such as 2026-01-02T03:04:05Z',
      'timestamp',
    ],
    [
      'GET',
      '/v1/path/string/a?stringValue=b',
      '',
      'query parameter "stringValue": this field is in the path',
      'stringValue',
    ],
    ['GET', '/v1/path/numbers/x/1/1/1', '', 'path variable int32Value: an int32 expected', 'int32Value'],
    ['GET', '/v1/path/string/%ff', '', 'path: malformed percent-encoding in "%ff"', ''],
    [
      'POST',
      '/v1/body/all?stringValue=a',
      '{}',
      'query parameter "stringValue": all fields come from the body and the path',
      '',
    ],
    [
      'POST',
      '/v1/body/message/s?nested.name=a',
      '{}',
      'query parameter "nested.name": this field is the body',
      'nested.name',
    ],
    [
      'POST',
      '/v1/body/all',
      '[]',
      'body: an object, the fields of conformance.v1.EveryKind expected, an array received',
      '',
    ],
    [
      'POST',
      '/v1/body/all',
      '{"strngValue":1}',
      'body: conformance.v1.EveryKind has no field "strngValue"; did you mean "stringValue"?',
      '',
    ],
    [
      'POST',
      '/v1/body/all',
      '{"repeatedNested":[{},{"child":{"count":"x"}}]}',
      'body.repeatedNested[1].child.count: an int64 expected',
      'repeatedNested[1].child.count',
    ],
    [
      'PUT',
      '/v1/body/repeated-message/s',
      '[{"name":1}]',
      'body[0].name: a string expected, a number received',
      'repeatedNested[0].name',
    ],
    [
      'POST',
      '/v1/body/all',
      '{"string_value":"a","stringValue":"b"}',
      'body.stringValue: given more than once',
      'stringValue',
    ],
    [
      'POST',
      '/v1/body/all',
      '{"choiceString":"a","choiceBool":true}',
      'body.choiceBool: another field of the oneof choice is also given',
      'choiceBool',
    ],
    ['POST', '/v1/body/all', '{', 'body: malformed JSON at byte 1: a key in double quotes expected', ''],
    ['POST', '/v1/body/all', '{} x', 'body: malformed JSON at byte 3: the end expected', ''],
  ])('%s %s %s', (httpMethod, url, body, message, field) => {
    let error: unknown;
    try {
      decode(httpMethod, url, body);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toEqual(
      expect.objectContaining({ name: 'StatusError', code: status.INVALID_ARGUMENT, message }),
    );
    const violations = findDetail(error as StatusError, BadRequestSchema)?.fieldViolations;
    expect(violations).toEqual([expect.objectContaining({ field, description: expect.any(String) })]);
  });

  test('a body that is not UTF-8', () => {
    const body = Uint8Array.from([0x7b, 0x22, 0xff, 0x22, 0x7d]);
    expect(() => codecAt('POST', '/v1/body/all').decode({ path: [], query: '', body })).toThrow(
      'body: not UTF-8',
    );
  });
});
