import { ScalarType } from '@bufbuild/protobuf';
import type { DescMessage } from '@bufbuild/protobuf';
import { wrappedType } from '../../../http-rule/fields.ts';
import type { Schema } from './types.ts';

const int32: Schema = { type: 'integer', format: 'int32' };
const uint32: Schema = { type: 'integer', format: 'uint32', minimum: 0 };
/** Numbers are exact up to 2^53 only. */
const int64: Schema = { type: 'string', format: 'int64', pattern: '^-?[0-9]{1,19}$' };
const uint64: Schema = { type: 'string', format: 'uint64', pattern: '^[0-9]{1,20}$' };
const number = (format: string): Schema => ({
  anyOf: [{ type: 'number', format }, { enum: ['NaN', 'Infinity', '-Infinity'] }],
});

/**
 * Scalars as answers have them; requests may have a little more.
 * Source: https://protobuf.dev/programming-guides/json/
 */
export const scalars: Readonly<Record<ScalarType, Schema>> = {
  [ScalarType.BOOL]: { type: 'boolean' },
  [ScalarType.STRING]: { type: 'string' },
  [ScalarType.BYTES]: { type: 'string', contentEncoding: 'base64' },
  [ScalarType.DOUBLE]: number('double'),
  [ScalarType.FLOAT]: number('float'),
  [ScalarType.INT32]: int32,
  [ScalarType.SINT32]: int32,
  [ScalarType.SFIXED32]: int32,
  [ScalarType.UINT32]: uint32,
  [ScalarType.FIXED32]: uint32,
  [ScalarType.INT64]: int64,
  [ScalarType.SINT64]: int64,
  [ScalarType.SFIXED64]: int64,
  [ScalarType.UINT64]: uint64,
  [ScalarType.FIXED64]: uint64,
};

const messages: Readonly<Record<string, Schema>> = {
  Timestamp: { type: 'string', format: 'date-time' },
  Duration: {
    type: 'string',
    pattern: String.raw`^-?[0-9]{1,12}(\.[0-9]{1,9})?s$`,
    description: 'Seconds, such as "1.5s"',
    examples: ['1.5s'],
  },
  FieldMask: {
    type: 'string',
    description: 'Paths of fields in lowerCamelCase, separated by commas',
    examples: ['name'],
  },
  Empty: { type: 'object' },
  Struct: { type: 'object', additionalProperties: true },
  Value: { description: 'Any JSON' },
  ListValue: { type: 'array', items: {} },
  Any: {
    type: 'object',
    properties: { '@type': { type: 'string', description: 'Which message it is: type.googleapis.com/NAME' } },
    required: ['@type'],
    additionalProperties: true,
    examples: [{ '@type': 'type.googleapis.com/google.protobuf.Duration', value: '1.5s' }],
  },
};

/** The JSON form of a well-known type that is not the object of its fields; undefined for any other message. */
export function wellKnown(message: DescMessage): Schema | undefined {
  const scalar = wrappedType(message);
  if (scalar !== undefined) return orNull(scalars[scalar]);
  const [, name] = /^google\.protobuf\.(\w+)$/.exec(message.typeName) ?? [];
  return name !== undefined && Object.hasOwn(messages, name) ? messages[name] : undefined;
}

/** What the schema says, or null. */
export function orNull(schema: Schema): Schema {
  if ('$ref' in schema || 'enum' in schema) return { anyOf: [schema, { type: 'null' }] };
  if (Array.isArray(schema['anyOf']))
    return { ...schema, anyOf: [...(schema['anyOf'] as unknown[]), { type: 'null' }] };
  return typeof schema['type'] === 'string' ? { ...schema, type: [schema['type'], 'null'] } : schema;
}
