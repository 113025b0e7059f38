import { ScalarType } from '@bufbuild/protobuf';
import type { DescMessage, Registry } from '@bufbuild/protobuf';
import type { ByteWriter } from '../bytes.ts';
import { scalarWriters } from '../scalars.ts';
import { hasDelimited } from '../types.ts';
import { AnyTypes } from './any-types.ts';
import type { Decode, JsonReader } from './json-reader.ts';

/** Reads a google.protobuf.Any: its type, and the message that is in it. */
export function anyDecoder(registry: Registry, messageOf: (desc: DescMessage) => Decode): Decode {
  return (reader: JsonReader, writer: ByteWriter) => {
    const typeUrl = AnyTypes.of(reader).find(reader);
    if (typeUrl === undefined) return;
    const slash = typeUrl.lastIndexOf('/');
    const desc = slash < 0 ? undefined : registry.getMessage(typeUrl.slice(slash + 1));
    if (desc === undefined) reader.fail('"@type" names an unknown type');
    if (hasDelimited(desc))
      reader.fail('"@type" names a type with delimited encoding (groups), not supported');
    writer.byte(0x0a);
    scalarWriters[ScalarType.STRING].text(typeUrl, writer);
    writer.byte(0x12);
    const start = writer.open();
    const decode = messageOf(desc);
    if (hasOwnForm(desc)) {
      let given = false;
      for (let more = reader.openObject(); more; more = reader.nextMember()) {
        const key = reader.key();
        if (key === '@type') reader.string();
        else if (key !== 'value') reader.fail('unknown; allowed "@type" and "value"');
        else if (given) reader.fail('given more than once');
        else {
          given = true;
          decode(reader, writer);
        }
      }
      if (!given) reader.fail('"value" is missing');
    } else {
      const before = reader.anyDepth;
      reader.anyDepth = reader.depth + 1;
      decode(reader, writer);
      reader.anyDepth = before;
    }
    writer.close(start);
  };
}

/** Messages whose JSON form is not the object of their fields. */
function hasOwnForm({ typeName }: DescMessage): boolean {
  return /^google\.protobuf\.(?:Any|Struct|Value|ListValue|Timestamp|Duration|FieldMask|[A-Za-z0-9]+Value)$/.test(
    typeName,
  );
}
