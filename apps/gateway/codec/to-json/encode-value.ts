import { ScalarType } from '@bufbuild/protobuf';
import type { ByteWriter } from '../bytes.ts';
import { scalarEncoders } from './encode-scalars.ts';
import { writeString } from './json-writer.ts';
import { AnswerError } from './wire-reader.ts';
import type { WireReader } from './wire-reader.ts';

const string = scalarEncoders[ScalarType.STRING].encode;
const bool = scalarEncoders[ScalarType.BOOL].encode;
const double = scalarEncoders[ScalarType.DOUBLE].encode;

/** Writes a google.protobuf.Value's JSON form; the last of several kinds counts. */
export function encodeValue(reader: WireReader, end: number, writer: ByteWriter): void {
  const base = reader.enter(0);
  let kind = 0;
  let at = 0;
  while (reader.pos < end) {
    const tag = reader.varint32();
    if (kinds.has(tag)) [kind, at] = [tag, reader.pos];
    reader.skip(tag);
  }
  if (kind === 0) throw new AnswerError('a Value has no kind');
  reader.pos = at;
  kinds.get(kind)?.(reader, writer);
  reader.pos = end;
  reader.leave(base);
}

const kinds = new Map<number, (reader: WireReader, writer: ByteWriter) => void>([
  [
    0x08,
    (_, writer) => {
      writer.ascii('null');
    },
  ],
  [0x11, finite],
  [0x1a, string],
  [0x20, bool],
  [0x2a, nested(encodeStruct)],
  [0x32, nested(encodeListValue)],
]);

function finite(reader: WireReader, writer: ByteWriter): void {
  if (!Number.isFinite(reader.bytes.readDoubleLE(reader.pos)))
    throw new AnswerError('a Value is not a finite number');
  double(reader, writer);
}

function nested(encode: (reader: WireReader, end: number, writer: ByteWriter) => void) {
  return (reader: WireReader, writer: ByteWriter): void => {
    encode(reader, reader.end(), writer);
  };
}

/** Writes a google.protobuf.ListValue's JSON form. */
export function encodeListValue(reader: WireReader, end: number, writer: ByteWriter): void {
  writer.byte(0x5b);
  let first = true;
  while (reader.pos < end) {
    const tag = reader.varint32();
    if (tag !== 0x0a) {
      reader.skip(tag);
      continue;
    }
    if (!first) writer.byte(0x2c);
    first = false;
    encodeValue(reader, reader.end(), writer);
  }
  writer.byte(0x5d);
}

/** Writes a google.protobuf.Struct's JSON form; the last of several entries of a key counts. */
export function encodeStruct(reader: WireReader, end: number, writer: ByteWriter): void {
  const entries = new Map<string, readonly [start: number, end: number]>();
  while (reader.pos < end) {
    const tag = reader.varint32();
    if (tag !== 0x0a) {
      reader.skip(tag);
      continue;
    }
    const entryEnd = reader.end();
    let key = '';
    let value: readonly [number, number] = [entryEnd, entryEnd];
    while (reader.pos < entryEnd) {
      const inner = reader.varint32();
      const start = reader.pos;
      reader.skip(inner);
      if (inner !== 0x0a && inner !== 0x12) continue;
      const stop = reader.pos;
      reader.pos = start;
      reader.end();
      if (inner === 0x0a) key = reader.bytes.toString('latin1', reader.pos, stop);
      else value = [reader.pos, stop];
      reader.pos = stop;
    }
    entries.set(key, value);
  }
  writer.byte(0x7b);
  let first = true;
  for (const [key, [start, stop]] of entries) {
    if (!first) writer.byte(0x2c);
    first = false;
    writeKey(writer, key);
    reader.pos = start;
    encodeValue(reader, stop, writer);
  }
  reader.pos = end;
  writer.byte(0x7d);
}

/** Writes a key of which the text holds the bytes of its UTF-8. */
export function writeKey(writer: ByteWriter, latin1: string): void {
  const bytes = Buffer.from(latin1, 'latin1');
  writeString(writer, bytes, 0, bytes.length);
  writer.byte(0x3a);
}
