import { isUtf8 } from 'node:buffer';
import type { ByteWriter } from '../bytes.ts';
import { AnswerError } from './wire-reader.ts';

const escapes = new Map([
  [0x22, '\\"'],
  [0x5c, '\\\\'],
  [0x08, '\\b'],
  [0x09, '\\t'],
  [0x0a, '\\n'],
  [0x0c, '\\f'],
  [0x0d, '\\r'],
]);

/** Writes a JSON string of UTF-8. @throws AnswerError when it is not UTF-8 */
export function writeString(writer: ByteWriter, source: Uint8Array, start: number, end: number): void {
  writer.reserve(end - start + 2);
  const { bytes } = writer;
  let { pos } = writer;
  bytes[pos++] = 0x22;
  let index = start;
  for (; index < end; index++) {
    const byte = source[index] ?? 0;
    if (byte < 0x20 || byte === 0x22 || byte === 0x5c || byte > 0x7e) break;
    bytes[pos++] = byte;
  }
  writer.pos = pos;
  if (index < end) writeRest(writer, source, index, end);
  writer.byte(0x22);
}

function writeRest(writer: ByteWriter, source: Uint8Array, start: number, end: number): void {
  if (!isUtf8(source.subarray(start, end))) throw new AnswerError('a string is not UTF-8');
  let from = start;
  for (let index = start; index < end; index++) {
    const byte = source[index] ?? 0;
    if (byte >= 0x20 && byte !== 0x22 && byte !== 0x5c) continue;
    writer.raw(source, from, index);
    writer.ascii(escapes.get(byte) ?? `\\u00${byte.toString(16).padStart(2, '0')}`);
    from = index + 1;
  }
  writer.raw(source, from, end);
}

/** Writes an integer of at most 53 bits. */
export function writeInteger(writer: ByteWriter, value: number): void {
  if (value >= 0 && value < 10) writer.byte(0x30 + value);
  else writer.ascii(String(value));
}

/** Writes a 64-bit integer as a JSON string. */
export function writeWide(writer: ByteWriter, low: number, high: number, signed: boolean): void {
  writer.byte(0x22);
  if (high < 0x20_0000) writer.ascii(String(high * 0x1_0000_0000 + low));
  else {
    const value = (BigInt(high) << 32n) | BigInt(low);
    writer.ascii(String(signed ? BigInt.asIntN(64, value) : value));
  }
  writer.byte(0x22);
}

/** Writes a floating-point number, or one of the strings that stand for what JSON has no number for. */
export function writeDouble(writer: ByteWriter, value: number): void {
  if (!Number.isFinite(value)) writer.ascii(`"${value}"`);
  else writer.ascii(Object.is(value, -0) ? '-0' : String(value));
}

/** A decimal of at most 9 digits that is this float again: 0.1, and not the double 0.10000000149011612. */
export function writeFloat(writer: ByteWriter, value: number): void {
  for (let digits = 6; digits < 9; digits++) {
    const shorter = Number(value.toPrecision(digits));
    if (Math.fround(shorter) === value) {
      writeDouble(writer, Object.is(value, -0) ? -0 : shorter);
      return;
    }
  }
  writeDouble(writer, Number.isFinite(value) ? Number(value.toPrecision(9)) : value);
}
