import { ScalarType } from '@bufbuild/protobuf';
import type { DescField } from '@bufbuild/protobuf';
import { WireType } from '@bufbuild/protobuf/wire';
import type { Encode, ValueEncoder } from './encode-scalars.ts';
import { scalarEncoders } from './encode-scalars.ts';
import { tagOf } from '../fields.ts';
import type { MemberParts } from './plan.ts';
import { AnswerError, WireReader } from './wire-reader.ts';

/** Writes a repeated field as a JSON array: its entries stand one by one or packed, wherever in the message. */
export function writeList({ number }: DescField, wire: WireType, encode: Encode): MemberParts['write'] {
  const single = tagOf(number, wire);
  const packed = wire === WireType.LengthDelimited ? -1 : tagOf(number, WireType.LengthDelimited);
  return (reader, slot, end, writer) => {
    let separator = 0x5b;
    reader.pos = slot - 1;
    while (reader.pos < end) {
      const tag = reader.varint32();
      if (tag === single) {
        writer.byte(separator);
        separator = 0x2c;
        encode(reader, writer);
      } else if (tag === packed) {
        const stop = reader.end();
        while (reader.pos < stop) {
          writer.byte(separator);
          separator = 0x2c;
          encode(reader, writer);
        }
        if (reader.pos !== stop) throw new AnswerError('malformed protobuf');
      } else reader.skip(tag);
    }
    if (separator === 0x5b) writer.byte(separator);
    writer.byte(0x5d);
  };
}

/** Writes a map field as a JSON object; the last of several entries of a key counts. */
export function writeMap(field: DescField & { fieldKind: 'map' }, value: ValueEncoder): MemberParts['write'] {
  const tag = tagOf(field.number, WireType.LengthDelimited);
  const key = scalarEncoders[field.mapKey];
  const keyTag = tagOf(1, key.wire);
  const valueTag = tagOf(2, value.wire);
  const textual = field.mapKey === ScalarType.STRING;
  const encodeKey = textual || key.zero?.startsWith('"') === true ? key.encode : quoted(key.encode);
  const zero = key.zero?.startsWith('"') === true ? key.zero : `"${key.zero ?? ''}"`;
  const nothing = new WireReader(emptyMessage);
  return (reader, slot, end, writer) => {
    // By the key's bytes, where its and the value's places are in the list.
    const entries = new Map<string, number>();
    const places: number[] = [];
    reader.pos = slot - 1;
    while (reader.pos < end) {
      const next = reader.varint32();
      if (next !== tag) {
        reader.skip(next);
        continue;
      }
      const entryEnd = reader.end();
      let name = '';
      let keyAt = 0;
      let valueAt = 0;
      while (reader.pos < entryEnd) {
        const inner = reader.varint32();
        const { pos } = reader;
        reader.skip(inner);
        if (inner === valueTag) valueAt = pos;
        else if (inner === keyTag) [name, keyAt] = [reader.bytes.toString('latin1', pos, reader.pos), pos];
      }
      if (reader.pos !== entryEnd) throw new AnswerError('malformed protobuf');
      entries.set(name, places.push(keyAt, valueAt) - 2);
    }
    let separator = 0x7b;
    for (const place of entries.values()) {
      writer.byte(separator);
      separator = 0x2c;
      reader.pos = places[place] ?? 0;
      if (reader.pos === 0) writer.ascii(zero);
      else encodeKey(reader, writer);
      writer.byte(0x3a);
      reader.pos = places[place + 1] ?? 0;
      if (reader.pos > 0) value.encode(reader, writer);
      else if (value.zero !== undefined) writer.ascii(value.zero);
      else {
        nothing.reset(emptyMessage);
        value.encode(nothing, writer);
      }
    }
    if (separator === 0x7b) writer.byte(separator);
    writer.byte(0x7d);
  };
}

function quoted(encode: Encode): Encode {
  return (reader, writer) => {
    writer.byte(0x22);
    encode(reader, writer);
    writer.byte(0x22);
  };
}

/** A message of no fields, behind its length. */
const emptyMessage = Buffer.from([0]);
