import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { framed } from '../../gateway/transport/testing/scripted-server.ts';
import { MessageDecoder } from './decoder.ts';

/** Cuts bytes at the given places. */
function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const ends = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b);
  return [...ends, bytes.length].map((end, at) => bytes.subarray(at === 0 ? 0 : ends[at - 1], end));
}

describe('B4: MessageDecoder', () => {
  test('reads the same messages however their bytes are cut, and knows where the stream may end', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 8 }),
        fc.array(fc.nat(400), { maxLength: 60 }),
        (messages, places) => {
          const frames = messages.map((message) => framed(message, message.length % 2));
          const ends = new Set(frames.map((_, at) => Buffer.concat(frames.slice(0, at + 1)).length)).add(0);
          const decoder = new MessageDecoder(40);
          const read: Buffer[] = [];
          let length = 0;
          for (const piece of cut(Buffer.concat(frames), places)) {
            read.push(...decoder.write(piece));
            length += piece.length;
            expect(decoder.between).toBe(ends.has(length));
          }
          expect(read).toEqual(frames);
        },
      ),
      { numRuns: 1_000 },
    );
  });

  test.each([[[5]], [[1, 4]], [[2, 2, 1]]])(
    'refuses a message that is too long, by its prefix: %j',
    (lengths) => {
      const decoder = new MessageDecoder(10);
      const prefix = Buffer.from([0, 0x80, 0, 0, 1]);
      let at = 0;
      const write = () => {
        for (const length of lengths) decoder.write(prefix.subarray(at, (at += length)));
      };
      expect(write).toThrow('a message of 2147483649 bytes was received; allowed at most 10');
      expect(new MessageDecoder(-1).write(prefix)).toEqual([]);
      expect(new MessageDecoder(10).write(framed(Buffer.alloc(10)))).toHaveLength(1);
    },
  );
});

test('A8: a message of 4 MiB that comes byte by byte takes about its own memory', () => {
  const length = 4 * 2 ** 20;
  const decoder = new MessageDecoder(length);
  decoder.write(framed(Buffer.alloc(length)).subarray(0, 5));
  const byte = Buffer.from([7]);
  const before = process.memoryUsage();
  for (let at = 1; at < length; at += 1) decoder.write(byte);
  const after = process.memoryUsage();
  const grown = after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers;
  expect(grown).toBeLessThan(60 * 2 ** 20);
  const [message] = decoder.write(byte);
  expect(message).toHaveLength(length + 5);
  expect(message?.subarray(5).every((each) => each === 7)).toBe(true);
});
