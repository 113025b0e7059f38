import { ScalarType } from '@bufbuild/protobuf';
import type { DescMessage } from '@bufbuild/protobuf';
import type { ByteWriter } from './bytes.ts';
import { TextError, scalarWriters } from './scalars.ts';
import type { ScalarWriter } from './scalars.ts';
import { parseDuration, parseTimestamp } from './times.ts';
import type { Time } from './times.ts';

/** Writes a message's fields from the one text that is its JSON form. @throws TextError */
export type TextMessageWriter = (text: string, writer: ByteWriter) => void;

/** The scalar type in a wrapper, such as google.protobuf.Int64Value; undefined for any other message. */
export function wrappedType(message: DescMessage): ScalarType | undefined {
  return wrappers.has(message.typeName) ? message.fields[0]?.scalar : undefined;
}

/** The way into a wrapper's value. */
export function wrappedScalar(message: DescMessage): ScalarWriter | undefined {
  const type = wrappedType(message);
  return type === undefined ? undefined : scalarWriters[type];
}

const wrappers: ReadonlySet<string> = new Set(
  ['Double', 'Float', 'Int64', 'UInt64', 'Int32', 'UInt32', 'Bool', 'String', 'Bytes'].map(
    (name) => `google.protobuf.${name}Value`,
  ),
);

/** For Timestamp, Duration and FieldMask: their JSON form is a string. Undefined for any other message. */
export const textMessages: ReadonlyMap<string, TextMessageWriter> = new Map<string, TextMessageWriter>([
  [
    'google.protobuf.Timestamp',
    (text, writer) => {
      writeTime(parseTimestamp(text), writer);
    },
  ],
  [
    'google.protobuf.Duration',
    (text, writer) => {
      writeTime(parseDuration(text), writer);
    },
  ],
  ['google.protobuf.FieldMask', writeFieldMask],
]);

const int64 = scalarWriters[ScalarType.INT64];

function writeTime({ seconds, nanos }: Time, writer: ByteWriter): void {
  if (seconds !== 0) {
    writer.byte(0x08);
    int64.text(String(seconds), writer);
  }
  if (nanos === 0) return;
  writer.byte(0x10);
  writer.varint64(nanos, nanos < 0 ? -1 : 0);
}

function writeFieldMask(text: string, writer: ByteWriter): void {
  if (text === '') return;
  for (const path of text.split(',')) {
    if (!/^[A-Za-z][A-Za-z0-9.]*$/.test(path))
      throw new TextError('paths in lowerCamelCase expected, separated by commas');
    writer.byte(0x0a);
    scalarWriters[ScalarType.STRING].text(
      path.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
      writer,
    );
  }
}
