import { ScalarType } from '@bufbuild/protobuf';
import type { DescEnum } from '@bufbuild/protobuf';
import { WireType } from '@bufbuild/protobuf/wire';
import type { ByteWriter } from '../bytes.ts';
import { writeDouble, writeFloat, writeInteger, writeString, writeWide } from './json-writer.ts';
import type { WireReader } from './wire-reader.ts';

/** Reads a value behind its tag, a length included, and writes its JSON form. @throws AnswerError */
export type Encode = (reader: WireReader, writer: ByteWriter) => void;

/** A value's way from binary to JSON. */
export interface ValueEncoder {
  readonly wire: WireType;
  readonly encode: Encode;
  /** JSON of the zero value; undefined for a message, which has none. */
  readonly zero: string | undefined;
}

const scratch = new DataView(new ArrayBuffer(8));
const { Varint, Bit32, Bit64, LengthDelimited } = WireType;

const encoder = (wire: WireType, zero: string, encode: Encode): ValueEncoder => ({ wire, zero, encode });
const narrow = (wire: WireType, read: (reader: WireReader) => number) =>
  encoder(wire, '0', (reader, writer) => {
    writeInteger(writer, read(reader));
  });
const wide = (wire: WireType, signed: boolean) =>
  encoder(wire, '"0"', (reader, writer) => {
    if (wire === Varint) reader.varint64();
    else reader.fixed64();
    writeWide(writer, reader.low, reader.high, signed);
  });

/** Every scalar type's way from binary to JSON. Source: ProtoJSON (protobuf.dev/programming-guides/json). */
export const scalarEncoders: Readonly<Record<ScalarType, ValueEncoder>> = {
  [ScalarType.DOUBLE]: encoder(Bit64, '0', (reader, writer) => {
    reader.fixed64();
    scratch.setUint32(0, reader.low, true);
    scratch.setUint32(4, reader.high, true);
    writeDouble(writer, scratch.getFloat64(0, true));
  }),
  [ScalarType.FLOAT]: encoder(Bit32, '0', (reader, writer) => {
    scratch.setUint32(0, reader.fixed32(), true);
    writeFloat(writer, scratch.getFloat32(0, true));
  }),
  [ScalarType.INT32]: narrow(Varint, (reader) => reader.varint32() | 0),
  [ScalarType.SINT32]: narrow(Varint, (reader) => {
    const value = reader.varint32();
    return (value >>> 1) ^ -(value & 1);
  }),
  [ScalarType.SFIXED32]: narrow(Bit32, (reader) => reader.fixed32() | 0),
  [ScalarType.UINT32]: narrow(Varint, (reader) => reader.varint32()),
  [ScalarType.FIXED32]: narrow(Bit32, (reader) => reader.fixed32()),
  [ScalarType.INT64]: wide(Varint, true),
  [ScalarType.UINT64]: wide(Varint, false),
  [ScalarType.SFIXED64]: wide(Bit64, true),
  [ScalarType.FIXED64]: wide(Bit64, false),
  [ScalarType.SINT64]: encoder(Varint, '"0"', (reader, writer) => {
    reader.varint64();
    const sign = -(reader.low & 1);
    const low = (((reader.low >>> 1) | (reader.high << 31)) ^ sign) >>> 0;
    writeWide(writer, low, ((reader.high >>> 1) ^ sign) >>> 0, true);
  }),
  [ScalarType.BOOL]: encoder(Varint, 'false', (reader, writer) => {
    reader.varint64();
    writer.ascii(reader.low === 0 && reader.high === 0 ? 'false' : 'true');
  }),
  [ScalarType.STRING]: encoder(LengthDelimited, '""', (reader, writer) => {
    const end = reader.end();
    writeString(writer, reader.bytes, reader.pos, end);
    reader.pos = end;
  }),
  [ScalarType.BYTES]: encoder(LengthDelimited, '""', (reader, writer) => {
    const end = reader.end();
    writer.ascii(`"${reader.bytes.toString('base64', reader.pos, end)}"`);
    reader.pos = end;
  }),
};

/** An enum's values by name; a number that has no name as the number. */
export function enumEncoder(desc: DescEnum): ValueEncoder {
  if (desc.typeName === 'google.protobuf.NullValue') {
    return encoder(Varint, 'null', (reader, writer) => {
      reader.varint32();
      writer.ascii('null');
    });
  }
  // The first of several names of a number, as its declaration has it.
  const names = new Map(desc.values.toReversed().map(({ name, number }) => [number, JSON.stringify(name)]));
  const zero = desc.values[0]?.number ?? 0;
  return encoder(Varint, names.get(zero) ?? String(zero), (reader, writer) => {
    const number = reader.varint32() | 0;
    writer.ascii(names.get(number) ?? String(number));
  });
}
