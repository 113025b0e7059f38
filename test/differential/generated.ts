import fc from 'fast-check';
import type { TestRequest } from './requests/request.ts';

/** The seed of all runs: a difference found once is found again. */
const seed = 20_261_123;
const count = 250;

const text = fc.string({ unit: 'binary', maxLength: 12 }).map((value) => value.toWellFormed());
const segment = fc
  .array(fc.oneof(text, fc.constantFrom(' ', '%', '?', '#', '&', '=', '+', 'é', '😀', '"', '<', "'")), {
    maxLength: 4,
  })
  .map((pieces) => `x${pieces.join('')}`);
const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String);
const uint64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(String);
const double = fc.double({ noDefaultInfinity: true, noNaN: true });
const base64 = fc.uint8Array({ maxLength: 12 }).map((bytes) => Buffer.from(bytes).toString('base64'));
const kind = fc.constantFrom('KIND_UNSPECIFIED', 'KIND_SMALL', 'KIND_LARGE', 'KIND_BELOW_ZERO');
const timestamp = fc
  .date({ min: new Date('0001-01-01T00:00:00Z'), max: new Date('9999-12-31T23:59:59Z'), noInvalidDate: true })
  .map((date) => date.toISOString());
const duration = fc
  .tuple(fc.integer({ min: -315_576_000, max: 315_576_000 }), fc.integer({ min: 1, max: 999 }))
  .map(([seconds, millis]) => `${seconds}.${String(millis).padStart(3, '0')}s`);

const nested = fc.letrec<{ nested: object }>((tie) => ({
  nested: fc.record(
    {
      name: text,
      count: int64,
      tags: fc.array(text, { maxLength: 3 }),
      kind,
      child: fc.option(tie('nested'), { depthSize: 'small', maxDepth: 3, nil: null }),
    },
    { requiredKeys: [] },
  ),
})).nested;

const anyJson = fc.jsonValue({ maxDepth: 3, stringUnit: 'grapheme', noUnicodeString: false } as object);

const message = fc.record(
  {
    doubleValue: double,
    int32Value: int32,
    int64Value: int64,
    uint64Value: uint64,
    sint64Value: int64,
    fixed32Value: fc.nat(),
    boolValue: fc.boolean(),
    stringValue: text,
    bytesValue: base64,
    kind,
    nested,
    optionalInt64: int64,
    optionalString: text,
    repeatedDouble: fc.array(double, { maxLength: 3 }),
    repeatedInt64: fc.array(int64, { maxLength: 3 }),
    repeatedString: fc.array(text, { maxLength: 3 }),
    repeatedKind: fc.array(kind, { maxLength: 3 }),
    repeatedNested: fc.array(nested, { maxLength: 2 }),
    stringKeys: fc.dictionary(fc.string({ maxLength: 4 }), text, { maxKeys: 3, noNullPrototype: true }),
    choiceInt64: int64,
    timestamp,
    duration,
    value: anyJson,
    int64Wrapper: int64,
    stringWrapper: text,
    unpackedInt32: fc.array(int32, { maxLength: 3 }),
  },
  { requiredKeys: [] },
);

const encode = encodeURIComponent;

const queryParameter = fc.oneof(
  fc.tuple(
    fc.constantFrom('string_value', 'nested.name', 'nested.tags', 'repeated_string', 'string_wrapper'),
    text,
  ),
  fc.tuple(fc.constantFrom('int32_value', 'optionalInt32', 'repeatedInt32'), int32.map(String)),
  fc.tuple(fc.constantFrom('int64_value', 'nested.count', 'int64_wrapper'), int64),
  fc.tuple(fc.constantFrom('uint64_value', 'repeated_uint64'), uint64),
  fc.tuple(fc.constantFrom('kind', 'nested.kind', 'repeated_kind'), kind),
  fc.tuple(fc.constantFrom('bytes_value', 'repeated_bytes'), base64),
  fc.tuple(fc.constant('timestamp'), timestamp),
  fc.tuple(fc.constant('duration'), duration),
);

const request: fc.Arbitrary<TestRequest> = fc.oneof(
  message.map((body) => ({ method: 'POST', target: '/v1/body/all', body: JSON.stringify(body) })),
  nested.map((body) => ({ method: 'POST', target: '/v1/body/message/a', body: JSON.stringify(body) })),
  fc.uniqueArray(queryParameter, { maxLength: 5, selector: ([name]) => name }).map((pairs) => ({
    method: 'GET',
    target: `/v1/query?${pairs.map(([name, value]) => `${encode(name)}=${encode(value)}`).join('&')}`,
  })),
  segment.map((value) => ({ method: 'GET', target: `/v1/path/string/${encode(value)}` })),
  fc.array(segment, { minLength: 1, maxLength: 4 }).map((values) => ({
    method: 'GET',
    target: `/v1/rest/${values.map(encode).join('/')}`,
  })),
  fc.tuple(segment, segment, int64).map(([a, b, size]) => ({
    method: 'GET',
    target: `/v1/path/nested/${encode(a)}/${encode(b)}?nested.count=${size}`,
  })),
);

/** Requests that are right, made at random from a fixed seed. */
export const generated: readonly TestRequest[] = fc.sample(request, { seed, numRuns: count });
