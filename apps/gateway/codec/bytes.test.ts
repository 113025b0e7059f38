import { describe, expect, test } from '@jest/globals';
import { BinaryReader } from '@bufbuild/protobuf/wire';
import { ByteWriter } from './bytes.ts';

/** The lengths at which a varint takes a byte more, and those next to them. */
const lengths = [2 ** 7, 2 ** 14, 2 ** 21].flatMap((limit) => [limit - 1, limit, limit + 1]);
const sizeOf = (length: number) => (length < 2 ** 7 ? 1 : length < 2 ** 14 ? 2 : length < 2 ** 21 ? 3 : 4);

describe('F: what is written behind its length', () => {
  test.each([0, 1, ...lengths])('of %i bytes', (length) => {
    const content = Buffer.alloc(length, 'abcdefg');
    const writer = new ByteWriter();
    writer.ascii('<');
    const start = writer.open();
    writer.raw(content);
    writer.close(start);
    writer.ascii('>');
    const bytes = writer.take();
    expect(bytes).toHaveLength(1 + sizeOf(length) + length + 1);
    const reader = new BinaryReader(bytes.subarray(1));
    expect(content.equals(reader.bytes())).toBe(true);
    expect(Buffer.from(bytes.subarray(1 + reader.pos)).toString()).toBe('>');
  });

  // Each length that grows moves what is in it, the others' lengths included.
  test.each(lengths)('in one another, the innermost of %i bytes', (length) => {
    const writer = new ByteWriter();
    const starts = [writer.open(), writer.open(), writer.open()];
    writer.raw(Buffer.alloc(length, 'abcdefg'));
    for (const start of starts.toReversed()) writer.close(start);
    const innermost = starts.reduce((bytes) => {
      const reader = new BinaryReader(bytes);
      const inner = reader.bytes();
      expect(reader.pos).toBe(bytes.length);
      return inner;
    }, writer.take());
    expect(Buffer.alloc(length, 'abcdefg').equals(innermost)).toBe(true);
  });

  test.each([0, ...[7, 14, 21, 28].flatMap((bits) => [2 ** bits - 1, 2 ** bits]), 2 ** 32 - 1])(
    'the number %i',
    (value) => {
      const writer = new ByteWriter();
      writer.varint32(value);
      const narrow = writer.take();
      expect(new BinaryReader(narrow).uint32()).toBe(value);
      writer.varint64(value, 0);
      expect(writer.take()).toEqual(narrow);
      writer.varint64(value, 2 ** 31);
      expect(new BinaryReader(writer.take()).uint64()).toBe(2n ** 63n + BigInt(value));
    },
  );
});
