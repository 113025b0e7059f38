import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { MessageReader, frameMessage } from './frames.ts';

/** Cuts bytes at the given places. */
function cut(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const ends = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b);
  return [...ends, bytes.length].map((end, at) => bytes.subarray(at === 0 ? 0 : ends[at - 1], end));
}

describe('MessageReader', () => {
  test('reads the same messages however their bytes are cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 8 }),
        fc.array(fc.nat(400), { maxLength: 60 }),
        (messages, places) => {
          const reader = new MessageReader(40);
          const read: number[][] = [];
          for (const piece of cut(Buffer.concat(messages.flatMap(frameMessage)), places)) {
            reader.push(piece);
            for (let message = reader.next(); message !== undefined; message = reader.next()) {
              read.push([...message]);
            }
            expect(reader.drained).toBe(true);
          }
          expect(read).toEqual(messages.map((message) => [...message]));
          expect(reader.between).toBe(true);
          expect(reader.problem).toBeUndefined();
        },
      ),
      { numRuns: 2_000 },
    );
  });

  test('knows that a stream ends within a message, wherever it is cut', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 20 }), fc.nat(24), (message, place) => {
        const bytes = Buffer.concat(frameMessage(message));
        const length = 1 + (place % (bytes.length - 1));
        const reader = new MessageReader(20);
        reader.push(bytes.subarray(0, length));
        expect(reader.next()).toBeUndefined();
        expect(reader.between).toBe(false);
      }),
    );
  });

  test('gives a message that lies within one piece as a view of it', () => {
    const piece = Buffer.concat([...frameMessage(Buffer.from('one')), ...frameMessage(Buffer.from('two'))]);
    const reader = new MessageReader(10);
    reader.push(piece);
    expect([reader.next()?.buffer, reader.next()?.buffer]).toEqual([piece.buffer, piece.buffer]);
  });

  test('A8: a message of 4 MiB that comes byte by byte takes about its own memory', () => {
    const length = 4 * 2 ** 20;
    const reader = new MessageReader(length);
    reader.push(Buffer.concat(frameMessage(Buffer.alloc(length))).subarray(0, 5));
    expect(reader.next()).toBeUndefined();
    const byte = Buffer.from([7]);
    const before = process.memoryUsage();
    for (let at = 1; at < length; at += 1) {
      reader.push(byte);
      if (reader.next() !== undefined) throw new Error('a message before its end');
    }
    const after = process.memoryUsage();
    const grown = after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers;
    expect(grown).toBeLessThan(60 * 2 ** 20);
    reader.push(byte);
    const message = reader.next();
    expect(message).toHaveLength(length);
    expect(message?.every((each) => each === 7)).toBe(true);
  });

  test('stops for good at a compressed message and at one that is too long', () => {
    for (const [bytes, problem] of [
      [[1, 0, 0, 0, 0], { kind: 'compressed' }],
      [[0, 0x80, 0, 0, 1], { kind: 'tooLarge', length: 0x8000_0001, limit: 10 }],
    ] as const) {
      const reader = new MessageReader(10);
      reader.push(Uint8Array.from(bytes));
      expect(reader.next()).toBeUndefined();
      reader.push(Uint8Array.from([0, 0, 0, 0, 0]));
      expect(reader.next()).toBeUndefined();
      expect(reader.problem).toEqual(problem);
    }
  });
});

test('frameMessage copies small messages and leaves large ones alone', () => {
  expect(frameMessage(Buffer.from('ab'))).toEqual([Buffer.from([0, 0, 0, 0, 2, 97, 98])]);
  const large = new Uint8Array(20_000);
  const [prefix, message] = frameMessage(large);
  expect(prefix).toEqual(Buffer.from([0, 0, 0, 0x4e, 0x20]));
  expect(message).toBe(large);
});
