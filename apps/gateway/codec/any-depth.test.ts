import { describe, expect, test } from '@jest/globals';
import { createRegistry } from '@bufbuild/protobuf';
import { ConformanceService, EveryKindSchema } from '../../../gen/conformance/v1/conformance_pb.js';
import { ByteWriter } from './bytes.ts';
import { Decoders } from './from-json/decode.ts';
import { JsonReader } from './from-json/json-reader.ts';
import { Encoders } from './to-json/encode.ts';
import { withWellKnown } from './types.ts';

const registry = withWellKnown(createRegistry(ConformanceService.file));
const decodeFields = new Decoders(registry).message(EveryKindSchema);
const encodeAnswer = new Encoders(registry).answer(EveryKindSchema, undefined);

/** Counts the steps: before each token a reader looks for the next byte that is no white space. */
class CountingReader extends JsonReader {
  steps = 0;

  override peek(): number {
    this.steps += 1;
    return super.peek();
  }
}

function stepsOf(text: string): number {
  const reader = new CountingReader(Buffer.from(text));
  decodeFields(reader, new ByteWriter());
  reader.end();
  return reader.steps;
}

const type = (name: string) => `"@type":"type.googleapis.com/${name}"`;

/** So many messages in one another, each in a google.protobuf.Any, with much in the innermost one. */
const shapes: Readonly<Record<string, (depth: number, much: string) => string>> = {
  'of Any, its type first': (depth, much) => {
    const open = `{${type('google.protobuf.Any')},"value":`.repeat(depth);
    return `{"any":${open}{${type('google.protobuf.ListValue')},"value":[${much}]}${'}'.repeat(depth)}}`;
  },
  'of Any, its type last': (depth, much) => {
    const close = `,${type('google.protobuf.Any')}}`.repeat(depth);
    const inner = `{"value":[${much}],${type('google.protobuf.ListValue')}}`;
    return `{"any":${'{"value":'.repeat(depth)}${inner}${close}}`;
  },
  'of messages with an Any': (depth, much) => {
    const open = `{"any":{${type('conformance.v1.EveryKind')},"recursive":`.repeat(depth / 2);
    return `${open}{"value":[${much}]}${'}}'.repeat(depth / 2)}`;
  },
  'of messages with an Any, its type last': (depth, much) => {
    const close = `,${type('conformance.v1.EveryKind')}}}`.repeat(depth / 2);
    return `${'{"any":{"recursive":'.repeat(depth / 2)}{"value":[${much}]}${close}`;
  },
  'of Any beside one another in each': (depth, much) => {
    const open = `{"repeatedAny":[{${type('google.protobuf.Empty')}},{"recursive":`.repeat(depth / 3);
    const close = `,${type('conformance.v1.EveryKind')}},{${type('google.protobuf.Empty')}}]}`;
    return `${open}{"value":[${much}]}${close.repeat(depth / 3)}`;
  },
};

const many = (item: string, count: number) => new Array<string>(count).fill(item).join(',');

describe.each(Object.entries(shapes))('A7: messages in messages, %s', (_, shape) => {
  test.each([
    ['numbers', '1'],
    ['objects', '{}'],
    ['objects with a type', '{"@type":"a"}'],
  ])('the work follows the size of the text, not its depth: %s', (__, item) => {
    const much = many(item, 1_000);
    // What each level adds is small beside what is in the innermost.
    expect(stepsOf(shape(90, much)) / stepsOf(shape(6, much))).toBeLessThan(2);
  });

  test('reads and writes megabytes in one another', () => {
    const text = shape(48, many('"x"', 2 ** 18));
    const writer = new ByteWriter();
    decodeFields(new JsonReader(Buffer.from(text)), writer);
    const json = Buffer.from(encodeAnswer(writer.take(), new ByteWriter())).toString();
    expect(json).toContain(many('"x"', 2 ** 18));
  });
});

describe('A7: the "@type" of an object that was looked through before', () => {
  const nested = (inner: string) => `{"any":{"value":${inner},${type('google.protobuf.Any')}}}`;
  test.each([
    [nested('{"a":1}'), '"@type" is missing', ['any', 'value']],
    [nested('{"@type":1}'), 'a string expected, a number received', ['any', 'value', '@type']],
    [nested('{"@type":"t/a","@type":"t/a"}'), 'given more than once', ['any', 'value', '@type']],
    [nested('{"@type":"t/a"}'), '"@type" names an unknown type', ['any', 'value']],
    [nested('[]'), 'an object expected, an array received', ['any', 'value']],
    ['{"any":{"value":{"a":[{"b":tru}]}}}', 'malformed JSON at byte 27: a value expected', undefined],
  ])('%s', (text, message, path) => {
    let error: unknown;
    try {
      decodeFields(new JsonReader(Buffer.from(text)), new ByteWriter());
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toMatchObject({
      name: 'JsonError',
      message,
      path: path ?? ['any', 'value', 'a', 0, 'b'],
    });
  });

  test('an empty one is an empty Any', () => {
    const writer = new ByteWriter();
    const text = `{"any":{"value":{},${type('google.protobuf.Any')}}}`;
    decodeFields(new JsonReader(Buffer.from(text)), writer);
    const json = Buffer.from(encodeAnswer(writer.take(), new ByteWriter())).toString();
    expect(JSON.parse(json)).toMatchObject({
      any: { '@type': 'type.googleapis.com/google.protobuf.Any', value: {} },
    });
  });
});
