import type { DescField, DescMessage, ScalarType } from '@bufbuild/protobuf';

/** The messages, besides wrappers, whose JSON form is one text. Source: ProtoJSON (protobuf.dev/programming-guides/json). */
export const textMessages = [
  'google.protobuf.Timestamp',
  'google.protobuf.Duration',
  'google.protobuf.FieldMask',
] as const;

const wrappers: ReadonlySet<string> = new Set(
  ['Double', 'Float', 'Int64', 'UInt64', 'Int32', 'UInt32', 'Bool', 'String', 'Bytes'].map(
    (name) => `google.protobuf.${name}Value`,
  ),
);

/** The scalar type in a wrapper, such as google.protobuf.Int64Value; undefined for any other message. */
export function wrappedType(message: DescMessage): ScalarType | undefined {
  return wrappers.has(message.typeName) ? message.fields[0]?.scalar : undefined;
}

/** Whether the field, or each entry of a repeated field, can be written as one text, as in a path or a query. */
export function isTextual(field: DescField): boolean {
  if (field.fieldKind === 'map') return false;
  const { message } = field;
  return (
    message === undefined ||
    wrappedType(message) !== undefined ||
    textMessages.some((name) => name === message.typeName)
  );
}

/** Whether a variable of a path can hold the field: the value of a variable is one text. */
export function isPathField(field: DescField): boolean {
  return field.fieldKind !== 'list' && isTextual(field);
}

/** The fields in delimited encoding (groups) of messages, and of the messages that they hold. */
export function delimitedFields(messages: readonly DescMessage[]): readonly DescField[] {
  const found: DescField[] = [];
  const all = new Set(messages);
  // A set takes in what is added while it is gone through.
  for (const message of all) {
    for (const field of message.fields) {
      if (field.message !== undefined) all.add(field.message);
      if ('delimitedEncoding' in field && field.delimitedEncoding) found.push(field);
    }
  }
  return found;
}
