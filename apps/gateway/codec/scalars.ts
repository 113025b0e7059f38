import { ScalarType } from '@bufbuild/protobuf';
import { WireType } from '@bufbuild/protobuf/wire';
import type { ByteWriter } from './bytes.ts';
import type { JsonReader } from './from-json/json-reader.ts';
import { parseDouble, parseInteger } from './numbers.ts';

/** Writes a value's binary form. @returns whether it is the type's zero value */
export interface ScalarWriter {
  readonly wire: WireType;
  /** From a JSON value. @throws JsonError */
  json(reader: JsonReader, writer: ByteWriter): boolean;
  /** From a text in a path, a query or a map's key. @throws TextError */
  text(text: string, writer: ByteWriter): boolean;
}

/** A text that is no value of its field. */
export class TextError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'TextError';
  }
}

const quote = 0x22;

interface IntegerType {
  readonly name: string;
  readonly min: bigint;
  readonly max: bigint;
  readonly wire: WireType;
  write(value: bigint, writer: ByteWriter): void;
  /** The same for an integer of at most 15 digits, if it is in range. @returns false when not */
  small(value: number, writer: ByteWriter): boolean;
}

function integer(type: IntegerType): ScalarWriter {
  const { name, min, max } = type;
  const text = (given: string, writer: ByteWriter): boolean => {
    const value = parseInteger(given);
    if (value === undefined) throw new TextError(`${name} expected`);
    if (value === 'range' || value < min || value > max)
      throw new TextError(`${name} expected, out of range`);
    type.write(value, writer);
    return value === 0n;
  };
  const json = (reader: JsonReader, writer: ByteWriter): boolean => {
    const start = reader.peek() === quote ? reader.pos + 1 : reader.pos;
    const { bytes } = reader;
    const negative = bytes[start] === 0x2d;
    const first = negative ? start + 1 : start;
    let pos = first;
    let value = 0;
    for (let digit = (bytes[pos] ?? 0) - 0x30; digit >= 0 && digit <= 9; digit = (bytes[pos] ?? 0) - 0x30) {
      value = value * 10 + digit;
      pos += 1;
    }
    const count = pos - first;
    const canonical = count > 0 && count <= 15 && (bytes[first] !== 0x30 || count === 1);
    if (canonical && endsNumber(bytes[pos] ?? 0, start > reader.pos)) {
      if (!type.small(negative ? -value : value, writer)) reader.fail(`${name} expected, out of range`);
      reader.pos = start > reader.pos ? pos + 1 : pos;
      return value === 0;
    }
    return byText(reader, writer, name, text);
  };
  return { wire: type.wire, json, text };
}

/** Whether an integer ends here: at its quote when it is in a string, else at what no number goes on with. */
function endsNumber(byte: number, inString: boolean): boolean {
  if (inString) return byte === quote;
  return byte === 0x2c || byte === 0x7d || byte === 0x5d || byte <= 0x20;
}

/** Reads a number, or a string with one in it. */
function byText(
  reader: JsonReader,
  writer: ByteWriter,
  name: string,
  write: (text: string, writer: ByteWriter) => boolean,
): boolean {
  const text = reader.peek() === quote ? reader.string() : (reader.numberText() ?? reader.unexpected(name));
  return orFail(reader, () => write(text, writer));
}

/** Gives a text's error the place it has in the JSON text. */
export function orFail<T>(reader: JsonReader, action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (error instanceof TextError) reader.fail(error.message);
    throw error;
  }
}

const two32 = 2 ** 32;

function writeSmall64(value: number, writer: ByteWriter): void {
  const low = value % two32;
  writer.varint64(low, Math.floor(value / two32));
}

function writeBig64(value: bigint, writer: ByteWriter): void {
  writer.varint64(Number(value & 0xffff_ffffn), Number((value >> 32n) & 0xffff_ffffn));
}

function writeFixed64(value: bigint, writer: ByteWriter): void {
  writer.fixed32(Number(value & 0xffff_ffffn));
  writer.fixed32(Number((value >> 32n) & 0xffff_ffffn));
}

const int32Range = { min: -(2n ** 31n), max: 2n ** 31n - 1n };
const int64Range = { min: -(2n ** 63n), max: 2n ** 63n - 1n };
const uint32Range = { min: 0n, max: 2n ** 32n - 1n };
const uint64Range = { min: 0n, max: 2n ** 64n - 1n };

function signed32(
  name: string,
  wire: WireType,
  write: (value: number, writer: ByteWriter) => void,
): ScalarWriter {
  const small = (value: number, writer: ByteWriter) => {
    if (value !== (value | 0)) return false;
    write(value, writer);
    return true;
  };
  return integer({
    name,
    wire,
    ...int32Range,
    write: (value, writer) => void small(Number(value), writer),
    small,
  });
}

function unsigned32(
  name: string,
  wire: WireType,
  write: (value: number, writer: ByteWriter) => void,
): ScalarWriter {
  const small = (value: number, writer: ByteWriter) => {
    if (value !== value >>> 0) return false;
    write(value, writer);
    return true;
  };
  return integer({
    name,
    wire,
    ...uint32Range,
    write: (value, writer) => void small(Number(value), writer),
    small,
  });
}

function wide(
  name: string,
  wire: WireType,
  range: { readonly min: bigint; readonly max: bigint },
  write: (value: bigint, writer: ByteWriter) => void,
): ScalarWriter {
  const plain = write === writeBig64;
  const small = (value: number, writer: ByteWriter) => {
    if (value < 0 && range.min === 0n) return false;
    if (plain) writeSmall64(value, writer);
    else write(BigInt(value), writer);
    return true;
  };
  return integer({ name, wire, ...range, write, small });
}

const scratch = new DataView(new ArrayBuffer(8));

function floating(
  name: string,
  wire: WireType,
  write: (value: number, writer: ByteWriter) => void,
): ScalarWriter {
  const single = wire === WireType.Bit32;
  const text = (given: string, writer: ByteWriter): boolean => {
    const value = parseDouble(given);
    if (value === undefined) throw new TextError(`${name} expected`);
    const named = given.endsWith('N') || given.endsWith('y');
    if (!named && !Number.isFinite(single ? Math.fround(value) : value)) {
      throw new TextError(`${name} expected, out of range`);
    }
    write(value, writer);
    return Object.is(value, 0);
  };
  return { wire, text, json: (reader, writer) => byText(reader, writer, name, text) };
}

const bool: ScalarWriter = {
  wire: WireType.Varint,
  text: (text, writer) => {
    if (text !== 'true' && text !== 'false') throw new TextError('true or false expected');
    writer.byte(text === 'true' ? 1 : 0);
    return text === 'false';
  },
  json: (reader, writer) => {
    const value = reader.literal('true');
    if (!value && !reader.literal('false')) reader.unexpected('true or false');
    writer.byte(value ? 1 : 0);
    return !value;
  },
};

const string: ScalarWriter = {
  wire: WireType.LengthDelimited,
  text: (text, writer) => {
    const start = writer.open();
    writer.utf8(text);
    writer.close(start);
    return text === '';
  },
  json: (reader, writer) => {
    const start = writer.open();
    reader.copyString(writer);
    const empty = writer.pos === start;
    writer.close(start);
    return empty;
  },
};

const base64 = /^(?:[A-Za-z0-9+/]*|[A-Za-z0-9_-]*)={0,2}$/;

const bytes: ScalarWriter = {
  wire: WireType.LengthDelimited,
  text: (text, writer) => {
    const digits = !text.includes('=') ? text.length : text.indexOf('=');
    const padded = digits < text.length;
    if (!base64.test(text) || digits % 4 === 1 || (padded && text.length % 4 !== 0))
      throw new TextError('base64 expected');
    const start = writer.open();
    writer.raw(Buffer.from(text, 'base64'));
    writer.close(start);
    return text === '';
  },
  json: (reader, writer) => {
    const text = reader.string('base64');
    return orFail(reader, () => bytes.text(text, writer));
  },
};

const zigzag = (value: number) => (value << 1) ^ (value >> 31);
const zigzag64 = (value: bigint) => BigInt.asUintN(64, (value << 1n) ^ (value >> 63n));

const { Varint, Bit32, Bit64 } = WireType;

/** Every scalar type's way from JSON and text to binary. Source: ProtoJSON (protobuf.dev/programming-guides/json). */
export const scalarWriters: Readonly<Record<ScalarType, ScalarWriter>> = {
  [ScalarType.DOUBLE]: floating('a double', Bit64, (value, writer) => {
    scratch.setFloat64(0, value, true);
    writer.fixed32(scratch.getUint32(0, true));
    writer.fixed32(scratch.getUint32(4, true));
  }),
  [ScalarType.FLOAT]: floating('a float', Bit32, (value, writer) => {
    scratch.setFloat32(0, value, true);
    writer.fixed32(scratch.getUint32(0, true));
  }),
  [ScalarType.INT32]: signed32('an int32', Varint, (value, writer) => {
    writer.varint64(value, value < 0 ? -1 : 0);
  }),
  [ScalarType.SINT32]: signed32('an int32', Varint, (value, writer) => {
    writer.varint32(zigzag(value));
  }),
  [ScalarType.SFIXED32]: signed32('an int32', Bit32, (value, writer) => {
    writer.fixed32(value);
  }),
  [ScalarType.UINT32]: unsigned32('a uint32', Varint, (value, writer) => {
    writer.varint32(value);
  }),
  [ScalarType.FIXED32]: unsigned32('a uint32', Bit32, (value, writer) => {
    writer.fixed32(value);
  }),
  [ScalarType.INT64]: wide('an int64', Varint, int64Range, writeBig64),
  [ScalarType.UINT64]: wide('a uint64', Varint, uint64Range, writeBig64),
  [ScalarType.SINT64]: wide('an int64', Varint, int64Range, (value, writer) => {
    writeBig64(zigzag64(value), writer);
  }),
  [ScalarType.SFIXED64]: wide('an int64', Bit64, int64Range, writeFixed64),
  [ScalarType.FIXED64]: wide('a uint64', Bit64, uint64Range, writeFixed64),
  [ScalarType.BOOL]: bool,
  [ScalarType.STRING]: string,
  [ScalarType.BYTES]: bytes,
};
