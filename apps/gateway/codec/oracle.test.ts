import { expect, test } from '@jest/globals';
import { createRegistry, fromBinary, fromJson, fromJsonString, toBinary, toJson } from '@bufbuild/protobuf';
import type { JsonValue } from '@bufbuild/protobuf';
import { BinaryReader, BinaryWriter } from '@bufbuild/protobuf/wire';
import fc from 'fast-check';
import { ConformanceService, EveryKindSchema } from '../../../gen/conformance/v1/conformance_pb.js';
import type { EveryKind } from '../../../gen/conformance/v1/conformance_pb.js';
import { fuzzLimitMs, fuzzRuns } from '../../testing/fuzz.ts';
import { ByteWriter } from './bytes.ts';
import { Decoders } from './from-json/decode.ts';
import { Encoders } from './to-json/encode.ts';
import { JsonError, JsonReader } from './from-json/json-reader.ts';
import { randomMessage } from '../../testing/random-message.ts';
import { withWellKnown } from './types.ts';

const registry = withWellKnown(createRegistry(ConformanceService.file));
const decodeFields = new Decoders(registry).message(EveryKindSchema);
const encodeAnswer = new Encoders(registry).answer(EveryKindSchema, undefined);

const encode = (bytes: Uint8Array) => Buffer.from(encodeAnswer(bytes, new ByteWriter())).toString();

function decode(text: string): Uint8Array {
  const reader = new JsonReader(Buffer.from(text));
  const writer = new ByteWriter();
  decodeFields(reader, writer);
  reader.end();
  return writer.take();
}

/** A text as protobuf-es reads it: floats are written shorter here, and are the same floats in binary. */
function asRead(text: string): JsonValue {
  return inBinary(fromJson(EveryKindSchema, JSON.parse(text) as JsonValue, { registry }));
}

function inBinary(message: EveryKind): JsonValue {
  return toJson(EveryKindSchema, fromBinary(EveryKindSchema, toBinary(EveryKindSchema, message)), {
    registry,
  });
}

const everyKind = randomMessage(EveryKindSchema);

test(
  'writes what protobuf-es writes',
  () => {
    fc.assert(
      fc.property(everyKind, (message) => {
        const expected = toJson(EveryKindSchema, message as never, { registry, alwaysEmitImplicit: true });
        const text = encode(toBinary(EveryKindSchema, message as never));
        expect(Object.keys(JSON.parse(text) as object).sort()).toEqual(
          Object.keys(expected as object).sort(),
        );
        expect(asRead(text)).toEqual(toJson(EveryKindSchema, message as never, { registry }));
      }),
      { numRuns: fuzzRuns(250) },
    );
  },
  fuzzLimitMs,
);

test(
  'reads what protobuf-es reads',
  () => {
    fc.assert(
      fc.property(everyKind, fc.boolean(), fc.nat(2), (message, alwaysEmitImplicit, indent) => {
        const json = toJson(EveryKindSchema, message as never, { registry, alwaysEmitImplicit });
        const read = fromBinary(EveryKindSchema, decode(JSON.stringify(json, null, indent)));
        expect(toJson(EveryKindSchema, read, { registry })).toEqual(
          // Text of JSON has no -0 as JSON.stringify writes it.
          JSON.parse(JSON.stringify(toJson(EveryKindSchema, message as never, { registry }))),
        );
      }),
      { numRuns: fuzzRuns(250) },
    );
  },
  fuzzLimitMs,
);

test(
  'writes what protobuf merges, of fields in any order and given in parts',
  () => {
    fc.assert(
      fc.property(fc.array(everyKind, { maxLength: 3 }), fc.infiniteStream(fc.nat()), (messages, order) => {
        const fields = messages.flatMap((message) => fieldsOf(toBinary(EveryKindSchema, message as never)));
        const shuffled = fields
          .map((field) => ({ field, at: Number(order.next().value) }))
          .sort((a, b) => a.at - b.at);
        const bytes = Buffer.concat(shuffled.map(({ field }) => field));
        const merged = fromBinary(EveryKindSchema, bytes);
        expect(asRead(encode(bytes))).toEqual(toJson(EveryKindSchema, merged, { registry }));
      }),
      { numRuns: fuzzRuns(150) },
    );
  },
  fuzzLimitMs,
);

/** The fields of a message, each with its tag. */
function fieldsOf(bytes: Uint8Array): Uint8Array[] {
  const reader = new BinaryReader(bytes);
  const fields: Uint8Array[] = [];
  while (reader.pos < reader.len) {
    const start = reader.pos;
    const [number, wire] = reader.tag();
    reader.skip(wire, number);
    fields.push(bytes.slice(start, reader.pos));
  }
  return fields;
}

test(
  'a text changed anywhere is read as protobuf-es reads it, or refused',
  () => {
    const change = fc.tuple(
      fc.nat(),
      fc.nat(3),
      fc.constantFrom('', '0', '1', '-', '.', 'e', '"', '{', '}', '[', ']', ',', ':', 'null', '\\', ' '),
    );
    fc.assert(
      fc.property(everyKind, fc.array(change, { minLength: 1, maxLength: 3 }), (message, changes) => {
        let text = JSON.stringify(toJson(EveryKindSchema, message as never, { registry }));
        for (const [at, cut, put] of changes) {
          const place = at % (text.length + 1);
          text = text.slice(0, place) + put + text.slice(place + cut);
        }
        let bytes: Uint8Array;
        try {
          bytes = decode(text.toWellFormed());
        } catch (error) {
          expect(error).toBeInstanceOf(JsonError);
          return;
        }
        // What is accepted here is accepted there, but for what protobuf-es refuses beyond the specification.
        const expected = attempt(() => fromJsonString(EveryKindSchema, text.toWellFormed(), { registry }));
        if (expected === undefined) return;
        const read = fromBinary(EveryKindSchema, bytes);
        expect(toJson(EveryKindSchema, read, { registry })).toEqual(inBinary(expected));
      }),
      { numRuns: fuzzRuns(250) },
    );
  },
  fuzzLimitMs,
);

function attempt<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch {
    return undefined;
  }
}

test(
  'any bytes are written or refused',
  () => {
    const tag = fc
      .tuple(fc.nat(150), fc.nat(7))
      .map(([number, wire]) => new BinaryWriter().uint32(((number + 1) << 3) | wire).finish());
    const chunk = fc.oneof(tag, fc.uint8Array({ maxLength: 12 }));
    fc.assert(
      fc.property(fc.array(chunk), (chunks) => {
        try {
          JSON.parse(encode(Buffer.concat(chunks)));
        } catch (error) {
          expect(error).toEqual(expect.objectContaining({ name: 'StatusError' }));
        }
      }),
      { numRuns: fuzzRuns(250) },
    );
  },
  fuzzLimitMs,
);
