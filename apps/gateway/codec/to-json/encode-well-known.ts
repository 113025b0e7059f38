import type { ScalarType } from '@bufbuild/protobuf';
import type { DescMessage } from '@bufbuild/protobuf';
import { WireType } from '@bufbuild/protobuf/wire';
import { wrappedType } from '../../../../http-rule/fields.ts';
import type { ByteWriter } from '../bytes.ts';
import { scalarEncoders } from './encode-scalars.ts';
import { tagOf } from '../fields.ts';
import { formatDuration, formatTimestamp } from '../times.ts';
import type { Time } from '../times.ts';
import { AnswerError } from './wire-reader.ts';
import type { WireReader } from './wire-reader.ts';

/** Reads a message's fields up to `end` and writes its JSON form. */
export type EncodeFields = (reader: WireReader, end: number, writer: ByteWriter) => void;

/** The JSON form of a well-known type that is not the object of its fields; undefined for any other message. */
export function wellKnownEncoder(desc: DescMessage): EncodeFields | undefined {
  const scalar = wrappedType(desc);
  if (scalar !== undefined) return wrapper(scalar);
  switch (desc.typeName) {
    case 'google.protobuf.Timestamp':
      return time(formatTimestamp, 'a Timestamp is not in the years 0001 to 9999');
    case 'google.protobuf.Duration':
      return time(formatDuration, 'a Duration is out of range');
    case 'google.protobuf.FieldMask':
      return encodeFieldMask;
    default:
      return undefined;
  }
}

function wrapper(type: ScalarType): EncodeFields {
  const { encode, wire, zero = '' } = scalarEncoders[type];
  return (reader, end, writer) => {
    const at = lastOf(reader, end, tagOf(1, wire));
    if (at === 0) writer.ascii(zero);
    else {
      reader.pos = at;
      encode(reader, writer);
      reader.pos = end;
    }
  };
}

/** Where the last value of a field stands; 0 when there is none. The reader is at the end then. */
function lastOf(reader: WireReader, end: number, wanted: number): number {
  let at = 0;
  while (reader.pos < end) {
    const tag = reader.varint32();
    if (tag === wanted) at = reader.pos;
    reader.skip(tag);
  }
  return at;
}

function time(format: (time: Time) => string | undefined, wrong: string): EncodeFields {
  return (reader, end, writer) => {
    let seconds = 0;
    let nanos = 0;
    while (reader.pos < end) {
      const tag = reader.varint32();
      if (tag === 0x08) {
        reader.varint64();
        seconds = (reader.high | 0) * 0x1_0000_0000 + reader.low;
      } else if (tag === 0x10) nanos = reader.varint32() | 0;
      else reader.skip(tag);
    }
    const text = format({ seconds, nanos });
    if (text === undefined) throw new AnswerError(wrong);
    writer.byte(0x22);
    writer.ascii(text);
    writer.byte(0x22);
  };
}

function encodeFieldMask(reader: WireReader, end: number, writer: ByteWriter): void {
  const paths: string[] = [];
  while (reader.pos < end) {
    const tag = reader.varint32();
    if (tag === tagOf(1, WireType.LengthDelimited)) {
      const pathEnd = reader.end();
      paths.push(camelCase(reader.bytes.toString('utf8', reader.pos, pathEnd)));
      reader.pos = pathEnd;
    } else reader.skip(tag);
  }
  writer.ascii(`"${paths.join(',')}"`);
}

function camelCase(path: string): string {
  // What would not come back the same from lowerCamelCase has no JSON form. A wildcard of AIP-134 and AIP-161 does, as
  // with protobuf-es; what a request's path or query may ask for should not be an error when it is written back.
  if (!/^(?:\*|[a-z](?:[a-z0-9.]|_[a-z]|(?<=\.)\*(?=\.|$))*)$/.test(path))
    throw new AnswerError('a FieldMask has a path without a JSON form');
  return path.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());
}
