/** The same bytes with the methods of a Buffer. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** Longest run copied byte by byte: below it a call of `set` costs more than the loop. */
const shortRun = 32;

/** What is written would be longer than there is room for. */
export class NoRoomError extends Error {}

/** Bytes being written, in a buffer that grows and is used again. */
export class ByteWriter {
  bytes: Uint8Array = new Uint8Array(4096);
  pos = 0;
  /** The most that may be written. It is looked at when the buffer has to grow. Bytes. */
  most = Infinity;

  /** Makes room for so many more bytes. */
  reserve(count: number): void {
    if (this.pos + count <= this.bytes.length) return;
    if (this.pos + count > this.most) throw new NoRoomError();
    const larger = new Uint8Array(Math.max(this.bytes.length * 2, this.pos + count));
    larger.set(this.bytes.subarray(0, this.pos));
    this.bytes = larger;
  }

  byte(value: number): void {
    if (this.pos === this.bytes.length) this.reserve(1);
    this.bytes[this.pos++] = value;
  }

  /** Copies `source[start, end)`. */
  raw(source: Uint8Array, start = 0, end = source.length): void {
    const count = end - start;
    this.reserve(count);
    if (count > shortRun) {
      this.bytes.set(source.subarray(start, end), this.pos);
      this.pos += count;
      return;
    }
    const { bytes } = this;
    let { pos } = this;
    for (let index = start; index < end; index++) bytes[pos++] = source[index] ?? 0;
    this.pos = pos;
  }

  /** Text of ASCII characters only. */
  ascii(text: string): void {
    this.reserve(text.length);
    for (let index = 0; index < text.length; index++) this.bytes[this.pos++] = text.charCodeAt(index);
  }

  /** Text in UTF-8. */
  utf8(text: string): void {
    this.reserve(text.length * 3);
    const { written } = encoder.encodeInto(text, this.bytes.subarray(this.pos));
    this.pos += written;
  }

  varint32(value: number): void {
    this.reserve(5);
    let rest = value >>> 0;
    while (rest > 0x7f) {
      this.bytes[this.pos++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.bytes[this.pos++] = rest;
  }

  /** A 64-bit number as its lower and its upper 32 bits. */
  varint64(low: number, high: number): void {
    this.reserve(10);
    let lower = low >>> 0;
    let upper = high >>> 0;
    while (upper > 0) {
      this.bytes[this.pos++] = (lower & 0x7f) | 0x80;
      lower = ((lower >>> 7) | (upper << 25)) >>> 0;
      upper >>>= 7;
    }
    this.varint32(lower);
  }

  fixed32(value: number): void {
    this.reserve(4);
    for (let shift = 0; shift < 32; shift += 8) this.bytes[this.pos++] = (value >>> shift) & 0xff;
  }

  /** Starts what is written behind its length: room for one byte of length. @returns what {@link close} takes */
  open(): number {
    this.reserve(1);
    return ++this.pos;
  }

  /** Ends it: writes the length, after moving what is there when it takes more than the one byte. */
  close(start: number): void {
    const length = this.pos - start;
    if (length < 0x80) {
      this.bytes[start - 1] = length;
      return;
    }
    const more = length < 0x4000 ? 1 : length < 0x20_0000 ? 2 : length < 0x1000_0000 ? 3 : 4;
    this.reserve(more);
    this.bytes.copyWithin(start + more, start, this.pos);
    this.pos = start - 1;
    this.varint32(length);
    this.pos += length;
  }

  /** What was written, as bytes of their own; the writer is empty again. */
  take(): Uint8Array {
    const taken = Buffer.allocUnsafe(this.pos);
    taken.set(this.bytes.subarray(0, this.pos));
    this.clear();
    return taken;
  }

  /** Empties the writer; the buffer of a long message is not kept. */
  clear(): void {
    this.pos = 0;
    if (this.bytes.length > keptBytes) this.bytes = new Uint8Array(4096);
  }
}

const keptBytes = 2 ** 20;
const encoder = new TextEncoder();
