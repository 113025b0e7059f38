import { describe, expect, test } from '@jest/globals';
import { createRegistry, fromBinary, toJson } from '@bufbuild/protobuf';
import type { JsonValue } from '@bufbuild/protobuf';
import { ConformanceService, EveryKindSchema } from '../../../gen/conformance/v1/conformance_pb.js';
import { ByteWriter } from './bytes.ts';
import { Decoders } from './from-json/decode.ts';
import { Encoders } from './to-json/encode.ts';
import { JsonReader } from './from-json/json-reader.ts';
import { withWellKnown } from './types.ts';

const registry = withWellKnown(createRegistry(ConformanceService.file));
const decodeFields = new Decoders(registry).message(EveryKindSchema);
const encodeAnswer = new Encoders(registry).answer(EveryKindSchema, undefined);

function decode(text: string): Uint8Array {
  const reader = new JsonReader(Buffer.from(text));
  const writer = new ByteWriter();
  decodeFields(reader, writer);
  reader.end();
  return writer.take();
}

/** What protobuf-es reads in the bytes made from a JSON text. */
const read = (text: string): JsonValue =>
  toJson(EveryKindSchema, fromBinary(EveryKindSchema, decode(text)), { registry });

/** A member of the JSON written for the bytes made from a JSON text, as it stands there. */
function written(text: string): string {
  const whole = Buffer.from(encodeAnswer(decode(text), new ByteWriter())).toString();
  const name = /^\{"([^"]+)"/.exec(text)?.[1] ?? '';
  const start = whole.indexOf(`"${name}":`);
  return whole.slice(start, start + text.length - 2);
}

describe('accepted', () => {
  test.each<[string, JsonValue]>([
    ['{}', {}],
    [' \t\r\n{ "stringValue" : "a" } ', { stringValue: 'a' }],
    ['{"string_value":"\\u00e9\\ud83d\\ude00\\n\\"\\/"}', { stringValue: 'é😀\n"/' }],
    ['{"\\u0073tringValue":"a"}', { stringValue: 'a' }],
    ['{"another-name":"a"}', { 'another-name': 'a' }],
    ['{"renamed":"a"}', { 'another-name': 'a' }],
    [
      '{"int64Value":9223372036854775807,"uint64Value":18446744073709551615}',
      { int64Value: '9223372036854775807', uint64Value: '18446744073709551615' },
    ],
    [
      '{"int64Value":"-9223372036854775808","sint64Value":-9223372036854775808}',
      { int64Value: '-9223372036854775808', sint64Value: '-9223372036854775808' },
    ],
    [
      '{"sfixed64Value":-1,"fixed64Value":"1","sint64Value":"-1","int64Value":-1}',
      { sfixed64Value: '-1', fixed64Value: '1', sint64Value: '-1', int64Value: '-1' },
    ],
    [
      '{"int32Value":1e3,"uint32Value":1.0,"sint32Value":"-2.50e1","int64Value":1e18}',
      { int32Value: 1000, uint32Value: 1, sint32Value: -25, int64Value: '1000000000000000000' },
    ],
    [
      '{"int32Value":-2147483648,"uint32Value":4294967295,"sint32Value":2147483647}',
      { int32Value: -2147483648, uint32Value: 4294967295, sint32Value: 2147483647 },
    ],
    ['{"sfixed32Value":-1,"fixed32Value":4294967295}', { sfixed32Value: -1, fixed32Value: 4294967295 }],
    ['{"int32Value":-0,"doubleValue":-0}', { doubleValue: -0 }],
    ['{"doubleValue":"NaN","floatValue":"Infinity"}', { doubleValue: 'NaN', floatValue: 'Infinity' }],
    ['{"doubleValue":"1.5e-3","floatValue":1e38}', { doubleValue: 0.0015, floatValue: Math.fround(1e38) }],
    ['{"bytesValue":"+/8="}', { bytesValue: '+/8=' }],
    ['{"bytesValue":"-_8"}', { bytesValue: '+/8=' }],
    ['{"kind":"KIND_BELOW_ZERO"}', { kind: 'KIND_BELOW_ZERO' }],
    ['{"kind":2}', { kind: 'KIND_LARGE' }],
    ['{"kind":12345}', { kind: 12345 }],
    [
      '{"optionalInt32":0,"optionalString":"","optionalKind":0}',
      { optionalInt32: 0, optionalString: '', optionalKind: 'KIND_UNSPECIFIED' },
    ],
    ['{"optionalInt32":null,"nested":null,"repeatedInt32":null,"nestedMap":null,"kind":null}', {}],
    ['{"choiceString":null,"choiceBool":false}', { choiceBool: false }],
    ['{"choiceNull":null}', { choiceNull: null }],
    ['{"choiceValue":null}', { choiceValue: null }],
    [
      '{"nullValue":null,"repeatedNullValue":[null,"NULL_VALUE",0]}',
      { repeatedNullValue: [null, null, null] },
    ],
    [
      '{"value":null,"repeatedValue":[null,1],"valueMap":{"a":null}}',
      { value: null, repeatedValue: [null, 1], valueMap: { a: null } },
    ],
    [
      '{"struct":{"a":{"b":[1,"x",true,null,{}]}},"listValue":[[]]}',
      { struct: { a: { b: [1, 'x', true, null, {}] } }, listValue: [[]] },
    ],
    [
      '{"boolKeys":{"true":"a","false":"b"},"int32Keys":{"-1":"a"},"uint64Keys":{"18446744073709551615":"a"}}',
      {
        boolKeys: { true: 'a', false: 'b' },
        int32Keys: { '-1': 'a' },
        uint64Keys: { '18446744073709551615': 'a' },
      },
    ],
    ['{"stringKeys":{"":"a","é":"b"}}', { stringKeys: { '': 'a', é: 'b' } }],
    [
      '{"boolWrapper":false,"int64Wrapper":"0","bytesWrapper":"","stringWrapper":null}',
      { boolWrapper: false, int64Wrapper: '0', bytesWrapper: '' },
    ],
    ['{"timestamp":"0001-01-01T00:00:00Z"}', { timestamp: '0001-01-01T00:00:00Z' }],
    ['{"timestamp":"9999-12-31T23:59:59.999999999Z"}', { timestamp: '9999-12-31T23:59:59.999999999Z' }],
    ['{"timestamp":"2024-02-29T23:30:00.1-01:30"}', { timestamp: '2024-03-01T01:00:00.100Z' }],
    ['{"duration":"-0.5s"}', { duration: '-0.500s' }],
    ['{"duration":"315576000000s"}', { duration: '315576000000s' }],
    // B8: the limits of seconds and of nanoseconds are each its own.
    ['{"duration":"315576000000.999999999s"}', { duration: '315576000000.999999999s' }],
    ['{"duration":"-315576000000.999999999s"}', { duration: '-315576000000.999999999s' }],
    ['{"fieldMask":""}', { fieldMask: '' }],
    ['{"fieldMask":"a.bC,d1"}', { fieldMask: 'a.bC,d1' }],
    ['{"any":{}}', { any: {} }],
    [
      '{"any":{"name":"a","@type":"t/conformance.v1.Nested","child":{}}}',
      { any: { '@type': 't/conformance.v1.Nested', name: 'a', child: {} } },
    ],
    [
      '{"any":{"@type":"t/google.protobuf.Duration","value":"1s"}}',
      { any: { '@type': 't/google.protobuf.Duration', value: '1s' } },
    ],
    [
      '{"any":{"@type":"t/google.protobuf.Any","value":{"@type":"t/google.protobuf.Value","value":null}}}',
      {
        any: { '@type': 't/google.protobuf.Any', value: { '@type': 't/google.protobuf.Value', value: null } },
      },
    ],
    [
      '{"any":{"@type":"t/google.rpc.ErrorInfo","reason":"R"}}',
      { any: { '@type': 't/google.rpc.ErrorInfo', reason: 'R' } },
    ],
    [
      '{"any":{"@type":"t/google.protobuf.Empty"},"empty":{}}',
      { any: { '@type': 't/google.protobuf.Empty' }, empty: {} },
    ],
    ['{"veryFarAway":1}', { veryFarAway: 1 }],
  ])('%s', (text, expected) => {
    expect(read(text)).toEqual(expected);
  });

  test('a key like those of JavaScript is a key', () => {
    const text =
      '{"stringKeys":{"__proto__":"a","constructor":"b"},"struct":{"__proto__":{"x":1}},"__proto__":"c"}';
    expect(JSON.stringify(read(text))).toBe(
      '{"stringKeys":{"__proto__":"a","constructor":"b"},"struct":{"__proto__":{"x":1}},"__proto__":"c"}',
    );
    expect(({} as Record<string, unknown>)['x']).toBeUndefined();
  });
});

describe('refused', () => {
  test.each<[string, string]>([
    ['', 'malformed JSON at byte 0: a value expected'],
    ['null', 'an object, the fields of conformance.v1.EveryKind expected, null received'],
    ['{"int32Value":1,}', 'malformed JSON at byte 16: a key in double quotes expected'],
    ['{"int32Value":01}', 'malformed JSON at byte 14: a number expected'],
    ['{"int32Value":+1}', 'malformed JSON at byte 14: a value expected'],
    ['{"int32Value":1.5}', 'an int32 expected'],
    ['{"int32Value":2147483648}', 'an int32 expected, out of range'],
    ['{"uint32Value":-1}', 'a uint32 expected, out of range'],
    ['{"uint64Value":-1}', 'a uint64 expected, out of range'],
    ['{"int64Value":9223372036854775808}', 'an int64 expected, out of range'],
    ['{"int64Value":1e999999999}', 'an int64 expected, out of range'],
    ['{"int64Value":1e-999999999}', 'an int64 expected'],
    ['{"int64Value":" 1"}', 'an int64 expected'],
    ['{"int64Value":"0x10"}', 'an int64 expected'],
    ['{"int64Value":""}', 'an int64 expected'],
    ['{"int64Value":true}', 'an int64 expected, a boolean received'],
    ['{"doubleValue":NaN}', 'malformed JSON at byte 15: a value expected'],
    ['{"doubleValue":1e999}', 'a double expected, out of range'],
    ['{"doubleValue":"inf"}', 'a double expected'],
    ['{"floatValue":3.5e38}', 'a float expected, out of range'],
    ['{"boolValue":"true"}', 'true or false expected, a string received'],
    ['{"boolValue":1}', 'true or false expected, a number received'],
    ['{"stringValue":1}', 'a string expected, a number received'],
    ['{"stringValue":"\\ud800"}', 'a string holds half a surrogate pair'],
    ['{"stringValue":"\\x"}', 'an escape in a string is malformed'],
    ['{"stringValue":"a\nb"}', 'malformed JSON at byte 17: no control character expected'],
    ['{"stringValue":"a', "malformed JSON at byte 17: a string's end expected"],
    ['{"bytesValue":"a"}', 'base64 expected'],
    ['{"bytesValue":"AA="}', 'base64 expected'],
    ['{"bytesValue":"+_8="}', 'base64 expected'],
    ['{"kind":"KIND_LARG"}', 'a value of conformance.v1.Kind expected; did you mean "KIND_LARGE"?'],
    ['{"kind":"1"}', 'a value of conformance.v1.Kind expected'],
    ['{"kind":1.5}', 'a value of conformance.v1.Kind expected'],
    ['{"kind":2147483648}', 'a value of conformance.v1.Kind expected, out of range'],
    ['{"repeatedInt32":[1,null]}', 'an item expected, null received'],
    ['{"repeatedInt32":1}', 'an array expected, a number received'],
    ['{"repeatedNested":[null]}', 'an item expected, null received'],
    ['{"nestedMap":{"a":null}}', 'a value of the map expected, null received'],
    ['{"nested":[]}', 'an object, the fields of conformance.v1.Nested expected, an array received'],
    ['{"int32Keys":{"x":"a"}}', 'an int32 expected'],
    ['{"int32Keys":{"1":"a","1.0":"b"}}', 'given more than once'],
    ['{"boolKeys":{"1":"a"}}', 'true or false expected'],
    ['{"stringKeys":{"a":"1","\\u0061":"2"}}', 'given more than once'],
    ['{"struct":{"a":1,"a":2}}', 'given more than once'],
    ['{"stringValue":"a","stringValue":null}', 'given more than once'],
    ['{"choiceString":"a","choiceNull":null}', 'another field of the oneof choice is also given'],
    ['{"value":1e999}', 'a double expected, out of range'],
    [
      '{"timestamp":"2026-01-02 03:04:05Z"}',
      'a time in RFC 3339 format expected, such as 2026-01-02T03:04:05Z',
    ],
    [
      '{"timestamp":"2026-01-02T03:04:05"}',
      'a time in RFC 3339 format expected, such as 2026-01-02T03:04:05Z',
    ],
    ['{"timestamp":"2026-02-29T03:04:05Z"}', 'a date and time that exist expected'],
    ['{"timestamp":"2026-01-02T24:00:00Z"}', 'a date and time that exist expected'],
    ['{"timestamp":"0000-12-31T23:59:59Z"}', 'a time in the years 0001 to 9999 expected'],
    ['{"timestamp":"9999-12-31T23:59:59-00:01"}', 'a time in the years 0001 to 9999 expected'],
    ['{"duration":"1"}', 'a duration in seconds expected, such as 1.5s'],
    ['{"duration":"1s "}', 'a duration in seconds expected, such as 1.5s'],
    ['{"duration":"1.0000000001s"}', 'a duration in seconds expected, such as 1.5s'],
    ['{"duration":"315576000001s"}', 'a duration of at most 315576000000.999999999s expected'],
    ['{"duration":"-315576000001s"}', 'a duration of at most 315576000000.999999999s expected'],
    ['{"fieldMask":"a_b"}', 'paths in lowerCamelCase expected, separated by commas'],
    ['{"any":{"name":"a"}}', '"@type" is missing'],
    ['{"any":{"@type":"conformance.v1.Nested"}}', '"@type" names an unknown type'],
    ['{"any":{"@type":"t/conformance.v1.Nothing"}}', '"@type" names an unknown type'],
    ['{"any":{"@type":"t/a","@type":"t/a"}}', 'given more than once'],
    ['{"any":{"@type":"t/google.protobuf.Duration"}}', '"value" is missing'],
    [
      '{"any":{"@type":"t/google.protobuf.Duration","value":"1s","x":1}}',
      'unknown; allowed "@type" and "value"',
    ],
    ['{"nested":{"@type":"x"}}', 'conformance.v1.Nested has no field "@type"'],
    ['{"toString":1}', 'conformance.v1.EveryKind has no field "toString"'],
  ])('%s', (text, message) => {
    expect(() => read(text)).toThrow(expect.objectContaining({ name: 'JsonError', message }));
  });

  test('more than 100 levels', () => {
    const nested = (levels: number) => `{"value":${'['.repeat(levels)}${']'.repeat(levels)}}`;
    expect(() => decode(nested(99))).not.toThrow();
    expect(() => decode(nested(100))).toThrow('more than 100 levels of nesting');
    expect(() => decode(nested(100_000))).toThrow('more than 100 levels of nesting');
    expect(() => decode('{"recursive":'.repeat(100_000))).toThrow('more than 100 levels of nesting');
  });
});

describe('written', () => {
  test.each([
    '{"int64Value":"-9223372036854775808"}',
    '{"uint64Value":"18446744073709551615"}',
    '{"sint64Value":"-9007199254740993"}',
    '{"doubleValue":-0}',
    '{"doubleValue":1e+21}',
    '{"floatValue":0.1}',
    '{"floatValue":3.4028235e+38}',
    '{"doubleValue":"-Infinity"}',
    '{"kind":12345}',
    '{"stringValue":"é\\u0001\\"\\\\\\n"}',
    '{"timestamp":"0001-01-01T00:00:00Z"}',
    '{"timestamp":"2024-02-29T23:59:59.001Z"}',
    '{"duration":"-0.000001s"}',
    '{"duration":"315576000000.999999999s"}',
    '{"duration":"-315576000000.999999999s"}',
    '{"timestamp":"9999-12-31T23:59:59.999999999Z"}',
    '{"fieldMask":"a.bC"}',
    '{"nullValue":null}',
    '{"__proto__":"x"}',
  ])('%s as it was read', (text) => {
    expect(written(text)).toBe(text.slice(1, -1));
  });
});
