import { ScalarType } from '@bufbuild/protobuf';
import type { DescMessage } from '@bufbuild/protobuf';
import { wrappedType } from '../../../http-rule/fields.ts';
import { upTo } from './digits.ts';
import type { Schema } from './types.ts';

/** Whether a schema is of what a client sends or of what it gets. */
export type Side = 'request' | 'answer';

const int32: Schema = { type: 'integer', format: 'int32', minimum: -(2 ** 31), maximum: 2 ** 31 - 1 };
const uint32: Schema = { type: 'integer', format: 'uint32', minimum: 0, maximum: 2 ** 32 - 1 };
const int64Digits = `-?(?:${upTo('9223372036854775807')})|-9223372036854775808`;
const uint64Digits = upTo('18446744073709551615');
/** Numbers are exact up to 2^53 only. */
const int64: Schema = { type: 'string', format: 'int64', pattern: `^(?:${int64Digits})$` };
const uint64: Schema = { type: 'string', format: 'uint64', pattern: `^(?:${uint64Digits})$` };
const number = (limits: Schema): Schema => ({
  anyOf: [{ type: 'number', ...limits }, { enum: ['NaN', 'Infinity', '-Infinity'] }],
});
/** The largest float, as short as answers write it. */
const mostFloat = 3.4028235e38;

/**
 * Scalars as answers have them, and as requests should: they may have a little more, such as numbers for 64-bit integers.
 * Source: https://protobuf.dev/programming-guides/json/
 */
export const scalars: Readonly<Record<ScalarType, Schema>> = {
  [ScalarType.BOOL]: { type: 'boolean' },
  [ScalarType.STRING]: { type: 'string' },
  [ScalarType.BYTES]: {
    type: 'string',
    contentEncoding: 'base64',
    pattern: '^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$',
  },
  [ScalarType.DOUBLE]: number({ format: 'double' }),
  [ScalarType.FLOAT]: number({ format: 'float', minimum: -mostFloat, maximum: mostFloat }),
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

/** The keys of a map are strings in JSON, whatever they are in the proto; undefined for any string. */
export function mapKeys(key: ScalarType): Schema | undefined {
  if (key === ScalarType.STRING) return undefined;
  if (key === ScalarType.BOOL) return { enum: ['true', 'false'] };
  const { pattern, minimum } = scalars[key];
  const digits = minimum === 0 ? upTo('4294967295') : `-?(?:${upTo('2147483647')})|-2147483648`;
  return { pattern: pattern ?? `^(?:${digits})$` };
}

const path = '[A-Za-z][A-Za-z0-9.]*';
const mask: Schema = {
  type: 'string',
  description: 'Paths of fields in lowerCamelCase, separated by commas',
  examples: ['name'],
};
const any: Schema = {
  type: 'object',
  properties: { '@type': { type: 'string', description: 'Which message it is: type.googleapis.com/NAME' } },
  additionalProperties: true,
  examples: [{ '@type': 'type.googleapis.com/google.protobuf.Duration', value: '1.5s' }],
};

const date = '[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])';
const hourAndMinute = '(?:[01][0-9]|2[0-3]):[0-5][0-9]';
/** In upper case and without a leap second, unlike what the format `date-time` allows. */
const time = `${hourAndMinute}:[0-5][0-9]`;

const messages: Readonly<Record<string, Schema>> = {
  Timestamp: {
    type: 'string',
    format: 'date-time',
    pattern: `^(?!0000)${date}T${time}(?:[.][0-9]{1,9})?(?:Z|[+-]${hourAndMinute})$`,
  },
  Duration: {
    type: 'string',
    pattern: `^-?(?:${upTo('315576000000')})(?:[.][0-9]{1,9})?s$`,
    description: 'Seconds, such as "1.5s"',
    examples: ['1.5s'],
  },
  FieldMask: mask,
  Empty: { type: 'object' },
  Struct: { type: 'object', additionalProperties: true },
  Value: { description: 'Any JSON' },
  ListValue: { type: 'array', items: {} },
  Any: any,
};

/** Where a request has to be narrower than an answer: what the gateway takes. */
const sent: Readonly<Record<string, Schema>> = {
  FieldMask: { ...mask, pattern: `^(?:${path}(?:,${path})*)?$` },
  Empty: { type: 'object', additionalProperties: false },
  Any: { ...any, required: ['@type'] },
};

/** The JSON form of a well-known type that is not the object of its fields; undefined for any other message. */
export function wellKnown(message: DescMessage, side: Side): Schema | undefined {
  const scalar = wrappedType(message);
  if (scalar !== undefined) return scalars[scalar];
  const [, name] = /^google\.protobuf\.(\w+)$/.exec(message.typeName) ?? [];
  if (name === undefined || !Object.hasOwn(messages, name)) return undefined;
  return side === 'request' && Object.hasOwn(sent, name) ? sent[name] : messages[name];
}

const urlPath = '(?:[*]|[A-Za-z_][A-Za-z0-9_]*(?:[.](?:[A-Za-z0-9_]*|[*]))*)';

/** A FieldMask in a path or a query, where names may be the proto's, too. */
export const urlMask: Schema = {
  type: 'string',
  description: 'Paths of fields, separated by commas, or *',
  pattern: `^(?:${urlPath}(?:,${urlPath})*)?$`,
  examples: ['name'],
};

/** What the schema says, or null. */
export function orNull(schema: Schema): Schema {
  if ('$ref' in schema || 'enum' in schema) return { anyOf: [schema, { type: 'null' }] };
  if (Array.isArray(schema['anyOf']))
    return { ...schema, anyOf: [...(schema['anyOf'] as unknown[]), { type: 'null' }] };
  return typeof schema['type'] === 'string' ? { ...schema, type: [schema['type'], 'null'] } : schema;
}
