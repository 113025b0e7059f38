import type { DescField, DescMessage, Registry } from '@bufbuild/protobuf';
import { FeatureSet_FieldPresence } from '@bufbuild/protobuf/wkt';
import { WireType } from '@bufbuild/protobuf/wire';
import { boundSibling, isBound, nothingBound } from '../../../../http-rule/bound.ts';
import type { Bound } from '../../../../http-rule/bound.ts';
import { anyDecoder } from './decode-any.ts';
import { decodeListValue, decodeStruct, decodeValue } from './decode-value.ts';
import type { Decode, JsonReader } from './json-reader.ts';
import { KeyTable } from './key-table.ts';
import { nearest } from '../nearest.ts';
import { tagOf } from '../fields.ts';
import { enumWriter } from './enum-writer.ts';
import { orFail, scalarWriters } from '../scalars.ts';
import type { ScalarWriter } from '../scalars.ts';
import { jsonTextMessages, wrappedScalar } from '../well-known-text.ts';

interface Member {
  readonly name: string;
  /** Index in the message, and of its oneof behind all fields; -1 without. */
  readonly index: number;
  readonly oneof: number;
  readonly oneofName: string;
  /** Whether null is a value of the field, not its absence. */
  readonly nullIsValue: boolean;
  read: Decode;
}

/** Makes, once each, what reads the fields and messages of a set of descriptors from JSON. */
export class Decoders {
  readonly #registry: Registry;
  readonly #messages = new Map<DescMessage, { decode: Decode }>();

  /** @param registry - the types that may stand in a google.protobuf.Any */
  constructor(registry: Registry) {
    this.#registry = registry;
  }

  /**
   * The value of a field from JSON, tags included; null where it means the field's absence.
   * @param bound - what the path has of the message that the field is of
   */
  field(field: DescField, bound: Bound): Decode {
    const read = this.#unbound(field, bound);
    if (nullIsValue(field)) return read;
    return (reader, writer) => {
      if (!reader.literal('null')) read(reader, writer);
    };
  }

  /**
   * The fields of a message from its JSON form, but those that the path has: there it is the path that counts, and a
   * field of a oneof of which the path has another is refused, since one of the two would be lost.
   */
  rest(desc: DescMessage, bound: Bound): Decode {
    return bound.size === 0 ? this.message(desc) : (this.#wellKnown(desc) ?? this.#members(desc, bound));
  }

  /** The fields of a message from its JSON form. */
  message(desc: DescMessage): Decode {
    const known = this.#messages.get(desc);
    // Not compiled yet while the message holds itself.
    if (known !== undefined)
      return (reader, writer) => {
        known.decode(reader, writer);
      };
    const made: { decode: Decode } = { decode: () => undefined };
    this.#messages.set(desc, made);
    made.decode = this.#wellKnown(desc) ?? this.#members(desc, nothingBound);
    return made.decode;
  }

  #wellKnown(desc: DescMessage): Decode | undefined {
    const scalar = wrappedScalar(desc);
    if (scalar !== undefined) return singular(1, scalar, true);
    const text = jsonTextMessages.get(desc.typeName);
    if (text !== undefined) {
      return (reader, writer) => {
        const given = reader.string();
        orFail(reader, () => {
          text(given, writer);
        });
      };
    }
    switch (desc.typeName) {
      case 'google.protobuf.Struct':
        return decodeStruct;
      case 'google.protobuf.Value':
        return decodeValue;
      case 'google.protobuf.ListValue':
        return decodeListValue;
      case 'google.protobuf.Any':
        return anyDecoder(this.#registry, (inner) => this.message(inner));
      default:
        return undefined;
    }
  }

  #members(desc: DescMessage, bound: Bound): Decode {
    const members = new Map<string, Member>();
    for (const [index, field] of desc.fields.entries()) {
      const oneof = field.oneof === undefined ? -1 : desc.fields.length + desc.oneofs.indexOf(field.oneof);
      const name = field.jsonName;
      const oneofName = field.oneof?.name ?? '';
      const member = {
        name,
        index,
        oneof,
        oneofName,
        nullIsValue: nullIsValue(field),
        read: this.#unbound(field, bound),
      };
      members.set(field.name, member);
    }
    for (const field of desc.fields) {
      const member = members.get(field.name);
      if (member !== undefined) members.set(field.jsonName, member);
    }
    const table = new KeyTable(members);
    const slots = desc.fields.length + desc.oneofs.length;
    const what = `an object, the fields of ${desc.typeName}`;
    return (reader, writer) => {
      const typed = reader.anyDepth === reader.depth + 1;
      let few = 0;
      let many: Uint8Array | undefined;
      const twice = (index: number): boolean => {
        if (slots <= 31) {
          const before = few;
          few |= 1 << index;
          return before === few;
        }
        // Not made for a message without fields, of which a text can hold many.
        many ??= new Uint8Array(slots);
        const before = many[index];
        many[index] = 1;
        return before === 1;
      };
      for (let more = reader.openObject(what); more; more = reader.nextMember()) {
        const member = reader.keyIn(table);
        if (member === undefined) {
          if (typed && reader.at[reader.depth] === '@type') reader.string();
          else unknownKey(reader, desc);
          continue;
        }
        reader.at[reader.depth] = member.name;
        if (twice(member.index)) reader.fail('given more than once');
        if (reader.peek() === 0x6e && !member.nullIsValue) {
          if (!reader.literal('null')) reader.malformed('a value');
          continue;
        }
        if (member.oneof >= 0 && twice(member.oneof)) {
          reader.fail(`another field of the oneof ${member.oneofName} is also given`);
        }
        member.read(reader, writer);
      }
    };
  }

  #unbound(field: DescField, bound: Bound): Decode {
    const sibling = boundSibling(field, bound);
    if (sibling !== undefined) {
      return (reader) => reader.fail(`${sibling.jsonName} of the same oneof is in the path`);
    }
    const read = this.#field(field, bound.get(field) ?? nothingBound);
    if (!isBound(field, bound)) return read;
    // Not merged with the path's: a Timestamp's seconds with the nanoseconds of another would be a third one.
    return (reader, writer) => {
      const before = writer.pos;
      read(reader, writer);
      writer.pos = before;
    };
  }

  #field(field: DescField, bound: Bound): Decode {
    switch (field.fieldKind) {
      case 'scalar':
        return singular(field.number, scalarWriters[field.scalar], hasPresence(field));
      case 'enum':
        return singular(field.number, enumWriter(field.enum), hasPresence(field));
      case 'message':
        return delimited(field.number, this.#messageOf(field, field.message, bound));
      case 'list':
        return this.#list(field);
      case 'map':
        return this.#map(field);
    }
  }

  #messageOf(field: DescField, desc: DescMessage, bound = nothingBound): Decode {
    if ('delimitedEncoding' in field && field.delimitedEncoding) {
      throw new Error(`${field.toString()}: delimited encoding (groups) is not supported`);
    }
    // Looked up at the first use: the message may hold itself.
    let decode: Decode | undefined;
    return (reader, writer) => {
      decode ??= this.rest(desc, bound);
      decode(reader, writer);
    };
  }

  #list(field: DescField & { fieldKind: 'list' }): Decode {
    if (field.listKind === 'message') {
      return items(delimited(field.number, this.#messageOf(field, field.message)), takesNull(field));
    }
    const scalar = field.listKind === 'enum' ? enumWriter(field.enum) : scalarWriters[field.scalar];
    if (!field.packed) return items(singular(field.number, scalar, true), takesNull(field));
    const tag = tagOf(field.number, WireType.LengthDelimited);
    const read = items((reader, writer) => void scalar.json(reader, writer), takesNull(field));
    return (reader, writer) => {
      const before = writer.pos;
      writer.varint32(tag);
      const start = writer.open();
      read(reader, writer);
      if (writer.pos === start) writer.pos = before;
      else writer.close(start);
    };
  }

  #map(field: DescField & { fieldKind: 'map' }): Decode {
    const tag = tagOf(field.number, WireType.LengthDelimited);
    const key = scalarWriters[field.mapKey];
    const keyTag = tagOf(1, key.wire);
    const value = this.#mapValue(field);
    const nullable = takesNull(field);
    return (reader, writer) => {
      const seen = new Set<string>();
      for (let more = reader.openObject(); more; more = reader.nextMember()) {
        const name = reader.key();
        writer.varint32(tag);
        const entry = writer.open();
        writer.varint32(keyTag);
        const keyStart = writer.pos;
        orFail(reader, () => key.text(name, writer));
        // By its binary form: "1" and "1.0" are one key.
        const same = Buffer.from(writer.bytes.buffer, keyStart, writer.pos - keyStart).toString('latin1');
        if (seen.has(same)) reader.fail('given more than once');
        seen.add(same);
        if (reader.peek() === 0x6e && !nullable) reader.unexpected('a value of the map');
        value(reader, writer);
        writer.close(entry);
      }
    };
  }

  #mapValue(field: DescField & { fieldKind: 'map' }): Decode {
    if (field.mapKind === 'message') return delimited(2, this.#messageOf(field, field.message));
    return singular(2, field.mapKind === 'enum' ? enumWriter(field.enum) : scalarWriters[field.scalar], true);
  }
}

function unknownKey(reader: JsonReader, desc: DescMessage): never {
  const key = String(reader.at[reader.depth]);
  const near = nearest(
    key,
    desc.fields.map((field) => field.jsonName),
  );
  reader.depth -= 1;
  const hint = near === undefined ? '' : `; did you mean ${JSON.stringify(near)}?`;
  return reader.fail(`${desc.typeName} has no field ${JSON.stringify(key.slice(0, 100))}${hint}`);
}

/** Whether null is a value of the field itself. */
function nullIsValue(field: DescField): boolean {
  return field.fieldKind !== 'list' && field.fieldKind !== 'map' && takesNull(field);
}

/** Whether null is a value of the field, or of the entries of a repeated field or a map. */
function takesNull(field: DescField): boolean {
  return (
    field.message?.typeName === 'google.protobuf.Value' ||
    field.enum?.typeName === 'google.protobuf.NullValue'
  );
}

function hasPresence(field: DescField): boolean {
  return field.oneof !== undefined || field.presence !== FeatureSet_FieldPresence.IMPLICIT;
}

/** @param always - whether the zero value is written, too */
function singular(number: number, scalar: ScalarWriter, always: boolean): Decode {
  const tag = tagOf(number, scalar.wire);
  return (reader, writer) => {
    const before = writer.pos;
    writer.varint32(tag);
    if (scalar.json(reader, writer) && !always) writer.pos = before;
  };
}

function delimited(number: number, message: Decode): Decode {
  const tag = tagOf(number, WireType.LengthDelimited);
  return (reader, writer) => {
    writer.varint32(tag);
    const start = writer.open();
    message(reader, writer);
    writer.close(start);
  };
}

function items(item: Decode, nullable: boolean): Decode {
  return (reader, writer) => {
    for (let more = reader.openArray(); more; more = reader.nextItem()) {
      if (reader.peek() === 0x6e && !nullable) reader.unexpected('an item');
      item(reader, writer);
    }
  };
}
