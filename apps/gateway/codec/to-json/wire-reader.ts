import { depthLimit } from '../from-json/json-reader.ts';

/** Kinds of values on the wire, the lowest 3 bits of a tag. */
const wire = { varint: 0, bit64: 1, delimited: 2, startGroup: 3, endGroup: 4, bit32: 5 };

/** What is wrong with an answer: malformed, or without a JSON form. */
export class AnswerError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'AnswerError';
  }
}

/** Reads protobuf's binary form. Each method throws AnswerError where the bytes end too early. */
export class WireReader {
  bytes: Buffer;
  pos = 0;
  /** The number last read by {@link varint64} or {@link fixed64}, in two parts of 32 bits. */
  low = 0;
  high = 0;
  depth = 0;
  /** Where the value of each field of each message that is being read stands; 0 for none. */
  slots = new Int32Array(64);
  #used = 0;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  /** Starts over, with the slots there are. */
  reset(bytes: Buffer): void {
    this.bytes = bytes;
    this.pos = 0;
    this.depth = 0;
    this.#used = 0;
  }

  /** Slots of a message, empty. @returns the first one's index, for {@link leave} */
  enter(count: number): number {
    if (this.depth++ === depthLimit) throw new AnswerError(`more than ${depthLimit} levels of nesting`);
    const base = this.#used;
    this.#used += count;
    if (this.#used > this.slots.length) {
      const more = new Int32Array(this.#used * 2);
      more.set(this.slots);
      this.slots = more;
    }
    for (let index = base; index < this.#used; index++) this.slots[index] = 0;
    return base;
  }

  leave(base: number): void {
    this.depth -= 1;
    this.#used = base;
  }

  /** The lower 32 bits of a number. */
  varint32(): number {
    const { bytes } = this;
    let byte = bytes[this.pos++] ?? tooShort();
    if (byte < 0x80) return byte;
    let value = byte & 0x7f;
    for (let shift = 7; shift < 70; shift += 7) {
      byte = bytes[this.pos++] ?? tooShort();
      if (shift < 32) value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
    throw new AnswerError('malformed protobuf');
  }

  varint64(): void {
    const { bytes } = this;
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = bytes[this.pos++] ?? tooShort();
      const bits = byte & 0x7f;
      if (shift < 28) low |= bits << shift;
      else if (shift === 28) {
        low |= bits << 28;
        high = bits >>> 4;
      } else high |= bits << (shift - 32);
      if (byte < 0x80) {
        this.low = low >>> 0;
        this.high = high >>> 0;
        return;
      }
    }
    throw new AnswerError('malformed protobuf');
  }

  fixed32(): number {
    const { bytes, pos } = this;
    if (pos + 4 > bytes.length) tooShort();
    this.pos = pos + 4;
    return bytes.readUInt32LE(pos);
  }

  fixed64(): void {
    this.low = this.fixed32();
    this.high = this.fixed32();
  }

  /** Takes a length. @returns where what has it ends */
  end(): number {
    const length = this.varint32();
    const end = this.pos + length;
    if (end > this.bytes.length) tooShort();
    return end;
  }

  /** Goes behind the value of a field. */
  skip(tag: number): void {
    switch (tag & 7) {
      case wire.varint:
        this.varint32();
        break;
      case wire.bit64:
        this.fixed64();
        break;
      case wire.delimited:
        this.pos = this.end();
        break;
      case wire.startGroup:
        this.#skipGroup(tag >>> 3);
        break;
      case wire.bit32:
        this.fixed32();
        break;
      default:
        throw new AnswerError('malformed protobuf');
    }
  }

  #skipGroup(number: number): void {
    if (this.depth++ === depthLimit) throw new AnswerError(`more than ${depthLimit} levels of nesting`);
    for (;;) {
      const tag = this.varint32();
      if ((tag & 7) === wire.endGroup) {
        if (tag >>> 3 !== number) throw new AnswerError('malformed protobuf');
        this.depth -= 1;
        return;
      }
      this.skip(tag);
    }
  }
}

function tooShort(): never {
  throw new AnswerError('malformed protobuf');
}
