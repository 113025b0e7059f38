import type { ByteWriter } from '../bytes.ts';
import type { JsonReader } from './json-reader.ts';
import { ScalarType } from '@bufbuild/protobuf';
import { scalarWriters } from '../scalars.ts';

const string = scalarWriters[ScalarType.STRING];
const double = scalarWriters[ScalarType.DOUBLE];

/** Field numbers of google/protobuf/struct.proto, with their wire types. */
const tags = { null: 0x08, number: 0x11, string: 0x1a, bool: 0x20, struct: 0x2a, list: 0x32 };

/** Writes the fields of a google.protobuf.Value from any JSON value. */
export function decodeValue(reader: JsonReader, writer: ByteWriter): void {
  const byte = reader.peek();
  if (byte === 0x22) {
    writer.byte(tags.string);
    string.json(reader, writer);
  } else if (byte === 0x7b) nested(tags.struct, decodeStruct, reader, writer);
  else if (byte === 0x5b) nested(tags.list, decodeListValue, reader, writer);
  else if (reader.literal('null')) {
    writer.byte(tags.null);
    writer.byte(0);
  } else if (reader.literal('true') || reader.literal('false')) {
    writer.byte(tags.bool);
    writer.byte(reader.bytes[reader.pos - 2] === 0x75 ? 1 : 0);
  } else {
    writer.byte(tags.number);
    double.json(reader, writer);
  }
}

/** Writes the fields of a google.protobuf.Struct from a JSON object. */
export function decodeStruct(reader: JsonReader, writer: ByteWriter): void {
  const seen = new Set<string>();
  for (let more = reader.openObject(); more; more = reader.nextMember()) {
    const key = reader.key();
    if (seen.has(key)) reader.fail('given more than once');
    seen.add(key);
    writer.byte(0x0a);
    const entry = writer.open();
    writer.byte(0x0a);
    string.text(key, writer);
    nested(0x12, decodeValue, reader, writer);
    writer.close(entry);
  }
}

/** Writes the fields of a google.protobuf.ListValue from a JSON array. */
export function decodeListValue(reader: JsonReader, writer: ByteWriter): void {
  for (let more = reader.openArray(); more; more = reader.nextItem())
    nested(0x0a, decodeValue, reader, writer);
}

function nested(
  tag: number,
  decode: (reader: JsonReader, writer: ByteWriter) => void,
  reader: JsonReader,
  writer: ByteWriter,
): void {
  writer.byte(tag);
  const start = writer.open();
  decode(reader, writer);
  writer.close(start);
}
