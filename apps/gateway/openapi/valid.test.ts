import { describe, expect, test } from '@jest/globals';
import { createRegistry, fromJson, toBinary, toJson } from '@bufbuild/protobuf';
import type { JsonValue } from '@bufbuild/protobuf';
import { Ajv2020 } from 'ajv/dist/2020.js';
import type { ValidateFunction } from 'ajv/dist/2020.js';
import ajvFormats from 'ajv-formats';
import { status } from '@grpc/grpc-js';
import fc from 'fast-check';
import type { Arbitrary } from 'fast-check';
import { ConformanceService } from '../../../gen/conformance/v1/conformance_pb.js';
import { ErrorInfoSchema } from '../../../gen/google/rpc/error_details_pb.js';
import type { Binding } from '../../../http-rule/binding.ts';
import { comments, registry as shopTypes, services } from '../../testing/shop.ts';
import { fuzzLimitMs, fuzzRuns } from '../../testing/fuzz.ts';
import { randomMessage } from '../../testing/random-message.ts';
import { bindingsOf } from '../binding/bindings.ts';
import { codecOf } from '../codec/codec.ts';
import { statusJson } from '../exchange/http-status.ts';
import { detail, statusError } from '../../runtime/status.ts';
import { sampleOf } from './example.ts';
import { openApiOf } from './openapi.ts';
import type { OpenApi, Operation } from './types.ts';

const registry = createRegistry(shopTypes, ConformanceService.file);

const documentOf = (bindings: readonly Binding[]) => openApiOf({ bindings, comments, bearer: false });

/** Checks values by the schemas in a document. */
function ajvOf(document: OpenApi): Ajv2020 {
  const ajv = new Ajv2020({
    strict: false,
    formats: { int32: true, uint32: true, int64: true, uint64: true },
  });
  ajvFormats.default(ajv, ['date-time', 'uuid', 'float', 'double']);
  ajv.addSchema(document, 'document');
  return ajv;
}

/** Each binding with its operation, and what checks values by a schema of it. */
function operationsOf(bindings: readonly Binding[]) {
  const document = documentOf(bindings);
  const ajv = ajvOf(document);
  return bindings.flatMap((binding) => {
    const { parent, name } = binding.method;
    const index = bindings.filter(({ method }) => method === binding.method).indexOf(binding);
    const id = `${parent.typeName}.${name}${index === 0 ? '' : `.${index + 1}`}`;
    return placesOf(document)
      .filter(({ operation }) => operation.operationId === id)
      .map((place) => {
        const checkOf = (...pointer: string[]): ValidateFunction => {
          const parts = [...place.pointer, ...pointer, 'schema'];
          return ajv.compile({ $ref: `document#/${parts.map(escaped).join('/')}` });
        };
        return { ...place, id, binding, document, checkOf };
      });
  });
}

const escaped = (part: string) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'));

function placesOf({ paths }: OpenApi) {
  return Object.entries(paths).flatMap(([path, { 'x-additionalOperations': others, ...item }]) => [
    ...Object.entries(item).map(([method, operation]) => ({
      operation,
      method: method.toUpperCase(),
      path,
      pointer: ['paths', path, method],
    })),
    ...Object.entries(others ?? {}).map(([method, operation]) => ({
      operation,
      method,
      path,
      pointer: ['paths', path, 'x-additionalOperations', method],
    })),
  ]);
}

const bindings = bindingsOf([...services.values(), ConformanceService]);
const all = operationsOf(bindings);
const contentOf = (operation: Operation) =>
  (operation.responses['200'] as { content: Record<string, unknown> }).content;

/** The first operation of each kind of answer: many answer with the same message. */
const answers = [
  ...Map.groupBy(all, ({ operation }) => JSON.stringify(contentOf(operation))).values(),
].flatMap(([one]) => one ?? []);

describe('C: every answer is valid by the document', () => {
  test.each(answers)(
    '$id',
    ({ binding, operation, checkOf }) => {
      const codec = codecOf(binding, registry);
      const stream = 'application/x-ndjson' in contentOf(operation);
      const valid = checkOf('responses', '200', 'content', `application/${stream ? 'x-ndjson' : 'json'}`);
      const { output } = binding.method;
      fc.assert(
        fc.property(randomMessage(output, 3), (message) => {
          const answer = jsonOf(codec.encode(toBinary(output, message as never)));
          valid(stream ? { result: answer } : answer);
          expect(valid.errors ?? []).toEqual([]);
        }),
        { numRuns: fuzzRuns(20) },
      );
    },
    fuzzLimitMs,
  );

  test('a value of an enum that is newer than the gateway is', () => {
    const { binding, checkOf } = all.find(({ id }) => id.endsWith('.ResponseKind'))!;
    const codec = codecOf(binding, registry);
    const { output } = binding.method;
    const answer = jsonOf(codec.encode(toBinary(output, fromJson(output, { kind: 99 }))));
    expect(answer).toBe(99);
    expect(checkOf('responses', '200', 'content', 'application/json')(answer)).toBe(true);
  });

  test('an error is, with details', () => {
    const error = statusError(status.NOT_FOUND, 'not here', [detail(ErrorInfoSchema, { reason: 'GONE' })]);
    const valid = ajvOf(documentOf(bindings)).compile({
      $ref: 'document#/components/responses/Error/content/application~1json/schema',
    });
    valid(JSON.parse(statusJson(error, registry)));
    expect(valid.errors).toBeNull();
    expect(valid({ code: 'NOT_FOUND' })).toBe(false);
  });
});

function jsonOf(bytes: Uint8Array): JsonValue {
  return JSON.parse(Buffer.from(bytes).toString()) as JsonValue;
}

/** What clients get wrong, and what a looser pattern would let through. */
const odd: readonly JsonValue[] = [
  ...[null, true, 0, -1, 1.5, 2 ** 31, -(2 ** 31) - 1, 2 ** 32, 1e39, '', 'x', [], {}, [null], { x: null }],
  ...['007', '1e3', '9223372036854775808', '-9223372036854775809', '18446744073709551616', '-1', '1.0'],
  ...['NaN', 'nan', 'AA=', 'A', '-_8', 'AA==', 'a_b', 'aB.c', 'a,,b', '*'],
  ...[
    '2026-02-30T00:00:00Z',
    '2026-01-02t03:04:05z',
    '2026-01-02T23:59:60Z',
    '2026-01-02T03:04:05.1234567890Z',
  ],
  ...['0000-01-01T00:00:00Z', '315576000001s', '315576000000.5s', '1', '1.s', '01s'],
  ...[
    'KIND_SMALL',
    'KIND_NONE',
    'NULL_VALUE',
    ['1', 1],
    [{}],
    { a: {} },
    { '1': 1 },
    { '01': 'x' },
    { true: 'x' },
  ],
  ...[{ '4294967296': 'x' }, { '-1': 'x' }, { value: 1 }, { name: 1 }, { nme: 'x' }],
];

/** A JSON value with another at one place in it. */
const changed = (value: JsonValue): Arbitrary<JsonValue> =>
  fc.tuple(fc.nat(), fc.constantFrom(...odd)).map(([at, other]) => {
    const count = countOf(value);
    return replaced(value, at % count, other)[0];
  });

function countOf(value: JsonValue): number {
  if (typeof value !== 'object' || value === null) return 1;
  return Object.values(value).reduce<number>((sum, each) => sum + countOf(each), 1);
}

/** @returns the value, and how many places are left to go */
function replaced(value: JsonValue, at: number, other: JsonValue): [JsonValue, number] {
  if (at === 0) return [other, -1];
  let left = at - 1;
  if (typeof value !== 'object' || value === null) return [value, left];
  const entries = Object.entries(value).map(([key, each]): [string, JsonValue] => {
    if (left < 0) return [key, each!];
    const [made, rest] = replaced(each, left, other);
    left = rest;
    return [key, made];
  });
  return [Array.isArray(value) ? entries.map(([, each]) => each) : Object.fromEntries(entries), left];
}

/** The operations of each kind of body. */
const bodies = [
  ...Map.groupBy(
    all.filter(({ operation }) => operation.requestBody !== undefined),
    ({ operation }) => JSON.stringify(operation.requestBody?.content),
  ).values(),
].flatMap(([one]) => one ?? []);

describe('C: a body that is valid by the document is taken', () => {
  test.each(bodies)(
    '$id',
    ({ binding, operation, method, path, document, checkOf }) => {
      const codec = codecOf(binding, registry);
      const [type = ''] = Object.keys(operation.requestBody?.content ?? {});
      const valid = checkOf('requestBody', 'content', type);
      const target = sampleOf(method, path, operation, document).target.split(':')[0]!.split('?')[0]!;
      const segments = target.slice(1).split('/');
      const { input } = binding.method;
      const part = binding.body.kind === 'field' ? binding.body.field : undefined;
      const body = randomMessage(input).chain((message) => {
        const json = toJson(input, message as never, { registry }) as Record<string, JsonValue>;
        const whole = part === undefined ? json : (json[part.jsonName] ?? null);
        return fc.oneof(fc.constant(whole), changed(whole));
      });
      fc.assert(
        fc.property(body, (value) => {
          if (valid(value))
            codec.decode({ path: segments, query: '', body: Buffer.from(JSON.stringify(value)) });
        }),
        { numRuns: fuzzRuns(40) },
      );
    },
    fuzzLimitMs,
  );
});
