import { ScalarType } from '@bufbuild/protobuf';
import type { DescField, DescMessage, Registry } from '@bufbuild/protobuf';
import { FeatureSet_FieldPresence } from '@bufbuild/protobuf/wkt';
import { WireType } from '@bufbuild/protobuf/wire';
import type { ByteWriter } from '../bytes.ts';
import { decodeListValue, decodeStruct, decodeValue } from './decode-value.ts';
import type { JsonReader } from './json-reader.ts';
import { KeyTable } from './key-table.ts';
import { nearest } from '../nearest.ts';
import { tagOf } from '../fields.ts';
import { enumWriter } from './enum-writer.ts';
import { orFail, scalarWriters } from '../scalars.ts';
import type { ScalarWriter } from '../scalars.ts';
import { jsonTextMessages, wrappedScalar } from '../well-known-text.ts';

/** Reads a JSON value and writes what it stands for. @throws JsonError */
export type Decode = (reader: JsonReader, writer: ByteWriter) => void;

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

  /** The value of a field from JSON, tags included; null where it means the field's absence. */
  field(field: DescField): Decode {
    const read = this.#field(field);
    if (nullIsValue(field)) return read;
    return (reader, writer) => {
      if (!reader.literal('null')) read(reader, writer);
    };
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
    made.decode = this.#wellKnown(desc) ?? this.#members(desc);
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
        return (reader, writer) => {
          this.#any(reader, writer);
        };
      default:
        return undefined;
    }
  }

  #members(desc: DescMessage): Decode {
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
        read: this.#field(field),
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
      const many = slots > 31 ? new Uint8Array(slots) : undefined;
      const twice = (index: number): boolean => {
        if (many === undefined) {
          const before = few;
          few |= 1 << index;
          return before === few;
        }
        const before = many[index];
        many[index] = 1;
        return before === 1;
      };
      for (let more = reader.openObject(what); more; more = reader.nextMember()) {
        const member = reader.keyIn(table);
        if (member === undefined) {
          if (typed && reader.at[reader.depth] === '@type') reader.skip();
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
          reader.fail(`another field of the oneof ${member.oneofName} is given, too`);
        }
        member.read(reader, writer);
      }
    };
  }

  #field(field: DescField): Decode {
    switch (field.fieldKind) {
      case 'scalar':
        return singular(field.number, scalarWriters[field.scalar], hasPresence(field));
      case 'enum':
        return singular(field.number, enumWriter(field.enum), hasPresence(field));
      case 'message':
        return delimited(field.number, this.#messageOf(field, field.message));
      case 'list':
        return this.#list(field);
      case 'map':
        return this.#map(field);
    }
  }

  #messageOf(field: DescField, desc: DescMessage): Decode {
    if ('delimitedEncoding' in field && field.delimitedEncoding) {
      throw new Error(`${field.toString()}: delimited encoding (groups) is not supported`);
    }
    // Looked up at the first use: the message may hold itself.
    let decode: Decode | undefined;
    return (reader, writer) => {
      decode ??= this.message(desc);
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

  #any(reader: JsonReader, writer: ByteWriter): void {
    const typeUrl = findType(reader);
    if (typeUrl === undefined) return;
    const slash = typeUrl.lastIndexOf('/');
    const desc = slash < 0 ? undefined : this.#registry.getMessage(typeUrl.slice(slash + 1));
    if (desc === undefined) reader.fail('"@type" names no type that is known here');
    writer.byte(0x0a);
    scalarWriters[ScalarType.STRING].text(typeUrl, writer);
    writer.byte(0x12);
    const start = writer.open();
    if (hasOwnForm(desc)) this.#anyValue(desc, reader, writer);
    else {
      const before = reader.anyDepth;
      reader.anyDepth = reader.depth + 1;
      this.message(desc)(reader, writer);
      reader.anyDepth = before;
    }
    writer.close(start);
  }

  /** `{"@type": ..., "value": ...}`: what has a JSON form of its own. */
  #anyValue(desc: DescMessage, reader: JsonReader, writer: ByteWriter): void {
    let given = false;
    for (let more = reader.openObject(); more; more = reader.nextMember()) {
      const key = reader.key();
      if (key === '@type') reader.skip();
      else if (key !== 'value') reader.fail('unknown; allowed "@type" and "value"');
      else if (given) reader.fail('given more than once');
      else {
        given = true;
        this.message(desc)(reader, writer);
      }
    }
    if (!given) reader.fail('"value" is missing');
  }
}

/** The "@type" of the object that starts here, which is not taken; undefined for an empty object. */
function findType(reader: JsonReader): string | undefined {
  const { pos } = reader;
  let typeUrl: string | undefined;
  let any = false;
  for (let more = reader.openObject(); more; more = reader.nextMember()) {
    any = true;
    if (reader.key() !== '@type') reader.skip();
    else if (typeUrl !== undefined) reader.fail('given more than once');
    else typeUrl = reader.string();
  }
  if (any && typeUrl === undefined) reader.fail('"@type" is missing');
  if (any) reader.pos = pos;
  return typeUrl;
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

/** Messages whose JSON form is not the object of their fields. */
function hasOwnForm({ typeName }: DescMessage): boolean {
  return /^google\.protobuf\.(?:Any|Struct|Value|ListValue|Timestamp|Duration|FieldMask|[A-Za-z0-9]+Value)$/.test(
    typeName,
  );
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
