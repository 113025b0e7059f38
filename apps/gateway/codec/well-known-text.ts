import { ScalarType } from '@bufbuild/protobuf';
import type { DescMessage } from '@bufbuild/protobuf';
import { wrappedType } from '../../../http-rule/fields.ts';
import type { textMessages } from '../../../http-rule/fields.ts';
import type { ByteWriter } from './bytes.ts';
import { TextError, scalarWriters } from './scalars.ts';
import type { ScalarWriter } from './scalars.ts';
import { parseDuration, parseTimestamp } from './times.ts';
import type { Time } from './times.ts';

/** Writes a message's fields from the one text that is its JSON form. @throws TextError */
export type TextMessageWriter = (text: string, writer: ByteWriter) => void;

/** The way into a wrapper's value. */
export function wrappedScalar(message: DescMessage): ScalarWriter | undefined {
  const type = wrappedType(message);
  return type === undefined ? undefined : scalarWriters[type];
}

/** For Timestamp, Duration and FieldMask: their JSON form is a string. Undefined for any other message. */
export const jsonTextMessages: ReadonlyMap<string, TextMessageWriter> = new Map(
  Object.entries({
    'google.protobuf.Timestamp': (text, writer) => {
      writeTime(parseTimestamp(text), writer);
    },
    'google.protobuf.Duration': (text, writer) => {
      writeTime(parseDuration(text), writer);
    },
    'google.protobuf.FieldMask': maskWriter(/^[A-Za-z][A-Za-z0-9.]*$/, 'paths in lowerCamelCase'),
  } satisfies Record<(typeof textMessages)[number], TextMessageWriter>),
);

/**
 * The same in a path or a query, which no specification calls ProtoJSON: there the names in a FieldMask may also be as
 * the proto has them, as AIP-161 writes them (`author.given_name`). In a body they may not: field_mask.proto converts
 * them from lowerCamelCase, and Protocol Buffers' conformance tests refuse an underscore.
 *
 * `*` alone is a path here, since AIP-134 has every update mask take it, and so is one behind a name, which AIP-161 has
 * for lists and maps (`authors.*.given_name`); before a name no AIP has it. In a body there is none: field_mask.proto has
 * names only, the conformance tests do not ask, and protobuf's C++ and Go refuse it, though protobuf-es does not.
 */
export const urlTextMessages: ReadonlyMap<string, TextMessageWriter> = new Map([
  ...jsonTextMessages,
  [
    'google.protobuf.FieldMask',
    maskWriter(
      /^(?:\*|[A-Za-z_]\w*(?:\.(?:\w*|\*))*)$/,
      'paths of field names (snake_case or lowerCamelCase) or *',
    ),
  ],
]);

const int64 = scalarWriters[ScalarType.INT64];
const string = scalarWriters[ScalarType.STRING];

function writeTime({ seconds, nanos }: Time, writer: ByteWriter): void {
  if (seconds !== 0) {
    writer.byte(0x08);
    int64.text(String(seconds), writer);
  }
  if (nanos === 0) return;
  writer.byte(0x10);
  writer.varint64(nanos, nanos < 0 ? -1 : 0);
}

function maskWriter(allowed: RegExp, expected: string): TextMessageWriter {
  return (text, writer) => {
    if (text === '') return;
    for (const path of text.split(',')) {
      if (!allowed.test(path)) throw new TextError(`${expected} expected, separated by commas`);
      writer.byte(0x0a);
      string.text(path.split('.').map(protoName).join('.'), writer);
    }
  };
}

/**
 * The proto's name of a field. One with an underscore is that already: no name in lowerCamelCase has one, while
 * `address_line_1` cannot be had from its own, `addressLine1`.
 */
function protoName(name: string): string {
  return name.includes('_') ? name : name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
