import type { DescMessage, Registry } from '@bufbuild/protobuf';
import { hasDelimited } from '../types.ts';
import { writeString } from './json-writer.ts';
import { AnswerError } from './wire-reader.ts';
import type { EncodeFields } from './encode-well-known.ts';

/** The JSON forms of messages. */
interface Forms {
  message(desc: DescMessage): EncodeFields;
  members(desc: DescMessage): EncodeFields;
  ownForm(desc: DescMessage): EncodeFields | undefined;
}

/** Writes a google.protobuf.Any: its type, and the message that is in it. */
export function anyEncoder(registry: Registry, forms: Forms): EncodeFields {
  return (reader, end, writer) => {
    const base = reader.enter(0);
    let typeUrl = [end, end] as const;
    let value = [end, end] as const;
    while (reader.pos < end) {
      const tag = reader.varint32();
      if (tag !== 0x0a && tag !== 0x12) {
        reader.skip(tag);
        continue;
      }
      const stop = reader.end();
      if (tag === 0x0a) typeUrl = [reader.pos, stop];
      else value = [reader.pos, stop];
      reader.pos = stop;
    }
    writer.byte(0x7b);
    const url = reader.bytes.toString('utf8', ...typeUrl);
    if (url !== '') {
      const desc = registry.getMessage(url.slice(url.lastIndexOf('/') + 1));
      if (desc === undefined) throw new AnswerError('an Any holds an unknown type');
      if (hasDelimited(desc)) {
        throw new AnswerError('an Any holds a type with delimited encoding (groups), which is not supported');
      }
      writer.ascii('"@type":');
      writeString(writer, reader.bytes, ...typeUrl);
      const own = forms.ownForm(desc);
      if (own !== undefined) writer.ascii(',"value":');
      reader.pos = value[0];
      (own ?? forms.members(desc))(reader, value[1], writer);
    }
    writer.byte(0x7d);
    reader.pos = end;
    reader.leave(base);
  };
}
