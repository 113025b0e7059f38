import { ScalarType } from '@bufbuild/protobuf';
import type { DescField, DescMessage, JsonValue } from '@bufbuild/protobuf';

/** Messages whose JSON form is one text or number, so that a path or a query parameter can hold them. */
const textualMessages: ReadonlySet<string> = new Set(
  [
    'Timestamp',
    'Duration',
    'FieldMask',
    'BoolValue',
    'BytesValue',
    'DoubleValue',
    'FloatValue',
    'Int32Value',
    'Int64Value',
    'StringValue',
    'UInt32Value',
    'UInt64Value',
  ].map((name) => `google.protobuf.${name}`),
);

/** Whether the field, or each entry of a repeated field, can be written as one text. */
export function isTextual(field: DescField): boolean {
  if (field.fieldKind === 'map') return false;
  return field.message === undefined || textualMessages.has(field.message.typeName);
}

/**
 * The JSON value of a text from a path or a query, for protobuf's own JSON parser to check: it takes numbers as text,
 * but booleans and the numbers of enum values only as such.
 */
export function jsonOfText(field: DescField, text: string): JsonValue {
  const isBoolean =
    field.scalar === ScalarType.BOOL || field.message?.typeName === 'google.protobuf.BoolValue';
  if (isBoolean && (text === 'true' || text === 'false')) return text === 'true';
  if (field.enum !== undefined && /^-?\d{1,10}$/.test(text)) return Number(text);
  return text;
}

/** A field by a name a client may use: the proto's or the JSON one. */
export function findField(message: DescMessage, name: string): DescField | undefined {
  return message.fields.find((field) => field.name === name || field.jsonName === name);
}
