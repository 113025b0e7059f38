import type { DescField, DescMessage, Registry } from '@bufbuild/protobuf';
import { FeatureSet_FieldPresence } from '@bufbuild/protobuf/wkt';
import { WireType } from '@bufbuild/protobuf/wire';
import { status } from '@grpc/grpc-js';
import { statusError } from '../../../runtime/status.ts';
import { asBuffer } from '../bytes.ts';
import type { ByteWriter } from '../bytes.ts';
import { anyEncoder } from './encode-any.ts';
import { enumEncoder, scalarEncoders } from './encode-scalars.ts';
import type { Encode, ValueEncoder } from './encode-scalars.ts';
import { encodeListValue, encodeStruct, encodeValue } from './encode-value.ts';
import { wellKnownEncoder } from './encode-well-known.ts';
import type { EncodeFields } from './encode-well-known.ts';
import { collect, planOf } from './plan.ts';
import type { MemberParts, Plan } from './plan.ts';
import { writeList, writeMap } from './repeated.ts';
import { AnswerError, WireReader } from './wire-reader.ts';

const none = Buffer.alloc(0);

/** Writes an answer's JSON. @throws StatusError INTERNAL when it is malformed or has no JSON form */
export type EncodeAnswer = (answer: Uint8Array, writer: ByteWriter) => Uint8Array;

/** Makes, once each, what writes the JSON of the messages of a set of descriptors. */
export class Encoders {
  readonly #registry: Registry;
  readonly #forms = new Map<DescMessage, EncodeFields>();
  readonly #members = new Map<DescMessage, EncodeFields>();
  readonly #plans = new Map<DescMessage, Plan>();

  /** @param registry - the types that may stand in a google.protobuf.Any */
  constructor(registry: Registry) {
    this.#registry = registry;
  }

  /** @param part - the field that is all of the JSON; the whole message when undefined */
  answer(desc: DescMessage, part: DescField | undefined): EncodeAnswer {
    const encode = part === undefined ? this.message(desc) : this.#part(desc, part);
    const reader = new WireReader(none);
    return (answer, writer) => {
      writer.clear();
      reader.reset(asBuffer(answer));
      try {
        encode(reader, answer.length, writer);
      } catch (error) {
        if (!(error instanceof AnswerError)) throw error;
        throw statusError(status.INTERNAL, `answer of type ${desc.typeName} as JSON: ${error.message}`);
      } finally {
        reader.reset(none);
      }
      return writer.take();
    };
  }

  /** The JSON form of a message. */
  message(desc: DescMessage): EncodeFields {
    return getOrMake(this.#forms, desc, () => {
      const members = this.members(desc);
      return (
        this.ownForm(desc) ??
        ((reader, end, writer) => {
          const start = writer.pos;
          members(reader, end, writer);
          // The first member's comma is where the brace goes.
          if (writer.pos === start) writer.byte(0x7b);
          else writer.bytes[start] = 0x7b;
          writer.byte(0x7d);
        })
      );
    });
  }

  /** The JSON form that is not the object of a message's fields, if it has one. */
  ownForm(desc: DescMessage): EncodeFields | undefined {
    switch (desc.typeName) {
      case 'google.protobuf.Any':
        return anyEncoder(this.#registry, this);
      case 'google.protobuf.Struct':
        return encodeStruct;
      case 'google.protobuf.Value':
        return encodeValue;
      case 'google.protobuf.ListValue':
        return encodeListValue;
      default:
        return wellKnownEncoder(desc);
    }
  }

  /** The members of a message's JSON object, each with a comma before it. */
  members(desc: DescMessage): EncodeFields {
    return getOrMake(this.#members, desc, () => {
      let plan: Plan | undefined;
      return (reader, end, writer) => {
        plan ??= this.#plan(desc);
        const base = collect(plan, reader, end);
        for (const member of plan.members) {
          const slot = reader.slots[base + member.index] ?? 0;
          if (slot !== 0) {
            writer.raw(member.key);
            member.write(reader, slot, end, writer);
          } else if (member.empty !== undefined) writer.raw(member.empty);
        }
        reader.pos = end;
        reader.leave(base);
      };
    });
  }

  #part(desc: DescMessage, part: DescField): EncodeFields {
    const plan = this.#plan(desc);
    const member = plan.members.find(({ name }) => name === part.name);
    return (reader, end, writer) => {
      const base = collect(plan, reader, end);
      const slot = member === undefined ? 0 : (reader.slots[base + member.index] ?? 0);
      if (slot === 0) writer.ascii(member?.zero ?? 'null');
      else member?.write(reader, slot, end, writer);
    };
  }

  #plan(desc: DescMessage): Plan {
    return getOrMake(this.#plans, desc, () =>
      planOf(
        desc,
        desc.fields.map((field, index) => this.#member(field, index)),
      ),
    );
  }

  #member(field: DescField, index: number): MemberParts {
    const { encode, wire, zero } = this.#value(field);
    const common = { name: field.name, number: field.number, index, json: field.jsonName };
    switch (field.fieldKind) {
      case 'list':
        return {
          ...common,
          wire,
          listed: true,
          merged: false,
          zero: '[]',
          write: writeList(field, wire, encode),
        };
      case 'map':
        return {
          ...common,
          wire,
          listed: true,
          merged: false,
          zero: '{}',
          write: writeMap(field, { encode, wire, zero }),
        };
      default: {
        const merged = field.fieldKind === 'message';
        const write = merged ? this.#writeMessage(field.message) : writeLast(encode);
        return { ...common, wire, listed: false, merged, zero: hasPresence(field) ? undefined : zero, write };
      }
    }
  }

  /** A field's value, or an entry's of a repeated field, or a map's. */
  #value(field: DescField): ValueEncoder {
    if (field.message !== undefined) {
      if ('delimitedEncoding' in field && field.delimitedEncoding) {
        throw new Error(`${field.toString()}: delimited encoding (groups) is not supported`);
      }
      return { wire: WireType.LengthDelimited, encode: this.#delimited(field.message), zero: undefined };
    }
    if (field.enum !== undefined) return enumEncoder(field.enum);
    return scalarEncoders[field.scalar];
  }

  #delimited(desc: DescMessage): Encode {
    let encode: EncodeFields | undefined;
    return (reader, writer) => {
      encode ??= this.message(desc);
      const end = reader.end();
      encode(reader, end, writer);
      reader.pos = end;
    };
  }

  #writeMessage(desc: DescMessage): MemberParts['write'] {
    const encode = this.#delimited(desc);
    return (reader, slot, end, writer) => {
      reader.pos = Math.abs(slot) - 1;
      const tag = reader.varint32();
      if (slot > 0) {
        encode(reader, writer);
        return;
      }
      // Given in parts: protobuf merges them, and bytes in a row are that.
      reader.pos = -slot - 1;
      const parts: Buffer[] = [];
      while (reader.pos < end) {
        const next = reader.varint32();
        const start = reader.pos;
        reader.skip(next);
        if (next !== tag) continue;
        const stop = reader.pos;
        reader.pos = start;
        reader.end();
        parts.push(reader.bytes.subarray(reader.pos, stop));
        reader.pos = stop;
      }
      const whole = new WireReader(Buffer.concat(parts));
      whole.depth = reader.depth;
      this.message(desc)(whole, whole.bytes.length, writer);
    };
  }
}

function writeLast(encode: Encode): MemberParts['write'] {
  return (reader, slot, _, writer) => {
    reader.pos = slot - 1;
    reader.varint32();
    encode(reader, writer);
  };
}

function hasPresence(field: DescField): boolean {
  return field.oneof !== undefined || field.presence !== FeatureSet_FieldPresence.IMPLICIT;
}

function getOrMake<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}
