import type { DescField, DescMessage } from '@bufbuild/protobuf';
import { WireType } from '@bufbuild/protobuf/wire';
import type { ByteWriter } from './bytes.ts';
import { enumWriter } from './from-json/enum-writer.ts';
import { scalarWriters } from './scalars.ts';
import { urlTextMessages, wrappedScalar } from './well-known-text.ts';

/** Writes a field that is given as a text, the messages around it included. @throws TextError */
export type FieldTextWriter = (text: string, writer: ByteWriter) => void;

/**
 * Makes the writer of a textual field.
 * @param fields - from the request's own field to the one that holds the value. Written after others, it is merged
 *   with them and wins, as protobuf's binary form has it; an entry of a repeated field is added.
 */
export function fieldTextWriter(fields: readonly DescField[]): FieldTextWriter {
  const last = fields.at(-1);
  if (last === undefined) return () => undefined;
  return fields.slice(0, -1).reduceRight((write, field) => delimited(field.number, write), valueWriter(last));
}

function valueWriter(field: DescField): FieldTextWriter {
  const { message, number } = field;
  if (message !== undefined) {
    const scalar = wrappedScalar(message);
    const text = scalar === undefined ? urlTextMessages.get(message.typeName) : tagged(1, scalar);
    if (text !== undefined) return delimited(number, text);
  } else if (field.enum !== undefined) return tagged(number, enumWriter(field.enum));
  else return tagged(number, scalarWriters[field.scalar]);
  throw new Error(`${field.toString()} cannot be written as text`);
}

function tagged(number: number, scalar: ReturnType<typeof enumWriter>): FieldTextWriter {
  const tag = tagOf(number, scalar.wire);
  return (text, writer) => {
    writer.varint32(tag);
    scalar.text(text, writer);
  };
}

function delimited(number: number, write: FieldTextWriter): FieldTextWriter {
  const tag = tagOf(number, WireType.LengthDelimited);
  return (text, writer) => {
    writer.varint32(tag);
    const start = writer.open();
    write(text, writer);
    writer.close(start);
  };
}

/** The key of a field on the wire. */
export function tagOf(number: number, wire: WireType): number {
  return ((number << 3) | wire) >>> 0;
}

/** A field by a name a client may use: the proto's or the JSON one. */
export function findField(message: DescMessage, name: string): DescField | undefined {
  return message.fields.find((field) => field.name === name || field.jsonName === name);
}
