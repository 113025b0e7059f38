import { describe, expect, test } from '@jest/globals';
import { create, createFileRegistry, fromJson, setExtension } from '@bufbuild/protobuf';
import type { JsonObject, JsonValue } from '@bufbuild/protobuf';
import { FieldOptionsSchema, FileDescriptorProtoSchema, MessageOptionsSchema } from '@bufbuild/protobuf/wkt';
import { createValidator } from '@bufbuild/protovalidate';
import {
  FieldRulesSchema,
  MessageRulesSchema,
  field as fieldRules,
  message as messageRules,
} from '@bufbuild/protovalidate/gen/buf/validate/validate_pb.js';
import { Comments } from './comments.ts';
import { exampleOf } from './example.ts';
import { Schemas } from './schemas.ts';
import type { OpenApi, Schema } from './types.ts';

/** A message with one field `it`, of these rules. */
function messageOf(kind: string, rules: JsonValue, { optional = false, oneof = false } = {}) {
  const [, list, type = kind] = /^(repeated )?(\w+)$/.exec(kind) ?? [];
  const named = type === 'Kind' ? { type: 'TYPE_ENUM', typeName: '.test.Kind' } : {};
  const file = fromJson(FileDescriptorProtoSchema, {
    name: 'test.proto',
    package: 'test',
    syntax: 'proto3',
    enumType: [
      {
        name: 'Kind',
        value: ['KIND_UNSPECIFIED', 'KIND_NOVEL', 'KIND_ATLAS'].map((name, number) => ({ name, number })),
      },
    ],
    messageType: [
      {
        name: 'M',
        field: [
          {
            name: 'it',
            jsonName: 'it',
            number: 1,
            type: `TYPE_${type.toUpperCase()}`,
            ...named,
            label: list === undefined ? 'LABEL_OPTIONAL' : 'LABEL_REPEATED',
            ...(optional ? { proto3Optional: true, oneofIndex: 0 } : {}),
          },
        ],
        ...(optional ? { oneofDecl: [{ name: '_it' }] } : {}),
      },
    ],
  });
  const options = create(FieldOptionsSchema);
  setExtension(options, fieldRules, fromJson(FieldRulesSchema, rules));
  file.messageType[0]!.field[0]!.options = options;
  if (oneof) {
    const whole = create(MessageOptionsSchema);
    setExtension(whole, messageRules, create(MessageRulesSchema, { oneof: [{ fields: ['it'] }] }));
    file.messageType[0]!.options = whole;
  }
  const message = createFileRegistry(file, () => undefined).getMessage('test.M')!;
  const schemas = new Schemas(new Comments({}));
  schemas.ofMessage(message);
  const schema = schemas.all['test.M']!;
  const validator = createValidator();
  return {
    schema,
    field: (schema['properties'] as Record<string, Schema>)['it']!,
    required: 'required' in schema,
    sample: exampleOf(schema, { components: { schemas: schemas.all } } as unknown as OpenApi) as JsonObject,
    takes: (json: JsonObject) => validator.validate(message, fromJson(message, json)).kind === 'valid',
  };
}

const zeroToo = { ignore: 'IGNORE_IF_ZERO_VALUE' };
const uuid = { anyOf: [{ format: 'uuid' }, { const: '' }] };
const int32 = { type: 'integer', format: 'int32' };

describe('a field of a message', () => {
  test.each<[string, JsonObject, Schema]>([
    ['string', { string: { minLen: '6', maxLen: '8' } }, { type: 'string', minLength: 6, maxLength: 8 }],
    ['string', { string: { uuid: true } }, { type: 'string', format: 'uuid' }],
    ['string', { string: { email: true } }, { type: 'string', format: 'email' }],
    ['string', { string: { hostname: true } }, { type: 'string', format: 'hostname' }],
    ['string', { string: { ipv4: true } }, { type: 'string', format: 'ipv4' }],
    ['string', { string: { ipv6: true } }, { type: 'string', format: 'ipv6' }],
    ['string', { string: { uri: true } }, { type: 'string', format: 'uri' }],
    ['string', { string: { uriRef: true } }, { type: 'string', format: 'uri-reference' }],
    ['string', { string: { uuid: true }, ...zeroToo }, { type: 'string', ...uuid }],
    ['string', { string: { uuid: true }, required: true, ...zeroToo }, { minLength: 1, format: 'uuid' }],
    ['string', { string: { uriRef: true }, ...zeroToo }, { type: 'string', format: 'uri-reference' }],
    ['string', { string: { uuid: true }, ignore: 'IGNORE_ALWAYS' }, { type: 'string' }],
    ['int32', { int32: { gte: 5 }, ...zeroToo }, { anyOf: [{ minimum: 5 }, { const: 0 }] }],
    ['int32', { int32: { gt: 5, lt: 7 } }, { ...int32, exclusiveMinimum: 5, exclusiveMaximum: 7 }],
    ['int32', { int32: { lte: -3 } }, { ...int32, maximum: -3 }],
    ['int32', { int32: { lte: 3 } }, { ...int32, maximum: 3 }],
    ['int64', { int64: { const: '5' }, ...zeroToo }, { anyOf: [{ const: '5' }, { const: '0' }] }],
    ['bool', { bool: { const: true }, ...zeroToo }, { anyOf: [{ const: true }, { const: false }] }],
    [
      'double',
      { double: { gt: 0, lt: 0.5 } },
      {
        anyOf: [{ type: 'number', format: 'double' }, { enum: ['NaN', 'Infinity', '-Infinity'] }],
        exclusiveMinimum: 0,
        exclusiveMaximum: 0.5,
      },
    ],
    [
      'double',
      { double: { gte: 5 }, ...zeroToo },
      {
        anyOf: [
          { type: 'number', format: 'double', minimum: 5 },
          { type: 'number', format: 'double', const: 0 },
          { enum: ['NaN', 'Infinity', '-Infinity'] },
        ],
      },
    ],
    [
      'Kind',
      { enum: { in: [1, 2] }, ...zeroToo },
      { anyOf: [{ enum: ['KIND_NOVEL', 'KIND_ATLAS'] }, { const: 'KIND_UNSPECIFIED' }] },
    ],
    ['Kind', { enum: { notIn: [0] } }, { enum: ['KIND_NOVEL', 'KIND_ATLAS'] }],
    ['repeated string', { repeated: { minItems: '2' } }, { type: 'array', minItems: 2 }],
    [
      'repeated string',
      { repeated: { minItems: '2' }, ...zeroToo },
      { anyOf: [{ minItems: 2 }, { const: [] }] },
    ],
    [
      'repeated string',
      { repeated: { items: { string: { uuid: true }, ...zeroToo } } },
      { items: { type: 'string', ...uuid } },
    ],
  ])('%s with %j', (kind, rules, expected) => {
    const { field, required, sample, takes } = messageOf(kind, rules);
    expect(field).toMatchObject(expected);
    // The service's own validation agrees on what may be left out, and on the sample.
    expect(required).toBe(!takes({}));
    expect(Object.keys(sample)).toEqual(['it']);
    expect({ sample, taken: takes(sample) }).toEqual({ sample, taken: true });
  });

  test('that has presence is looked at when it is there, zero or not', () => {
    const { field, required, takes } = messageOf(
      'string',
      { string: { uuid: true }, ...zeroToo },
      { optional: true },
    );
    expect([field, required]).toEqual([{ type: 'string', format: 'uuid' }, false]);
    expect([takes({}), takes({ it: '' })]).toEqual([true, false]);
  });

  test('of which there is at most one may be zero', () => {
    const { field, required, takes } = messageOf('string', { string: { uuid: true } }, { oneof: true });
    expect([field, required]).toEqual([{ type: 'string', ...uuid }, false]);
    expect([takes({}), takes({ it: '' })]).toEqual([true, true]);
  });
});
