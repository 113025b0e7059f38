import { GrowingBuffer } from './growing-buffer.ts';

/** A line, when it is whole, and where the next one starts. */
export interface Cut {
  readonly line: Buffer | undefined;
  readonly next: number;
}

/** Cuts a stream of bytes into its lines, holding at most one of them. */
export class LineCutter {
  readonly #limit: number;
  readonly #gather: GrowingBuffer;

  /** @param limit - longest line, its end not counted. Bytes. */
  constructor(limit: number) {
    this.#limit = limit;
    this.#gather = new GrowingBuffer(limit + 1);
  }

  /** The memory that the line so far takes. Bytes. */
  get held(): number {
    return this.#gather.held;
  }

  /**
   * Takes bytes up to the first end of line.
   * @returns 'long' when the line is over the limit
   */
  take(bytes: Buffer, from: number): Cut | 'long' {
    // Empty lines one by one would cost a thousand times what it costs to send them as gzip.
    if (this.#gather.length === 0) {
      const first = afterEmpty(bytes, from);
      if (first > from) return { line: undefined, next: first };
    }
    const end = bytes.indexOf(newline, from);
    const part = bytes.subarray(from, end < 0 ? bytes.length : end);
    // One more: a carriage return before an end of line is not the line's.
    if (this.#gather.length + part.length > this.#limit + 1) return 'long';
    this.#gather.add(part);
    if (end < 0) return { line: undefined, next: bytes.length };
    const line = this.rest();
    return line.length > this.#limit ? 'long' : { line, next: end + 1 };
  }

  /** What came after the last end of line. */
  rest(): Buffer {
    const line = this.#gather.take();
    return line.at(-1) === carriageReturn ? line.subarray(0, -1) : line;
  }
}

/** Where the first line begins that is not empty. */
function afterEmpty(bytes: Buffer, from: number): number {
  let at = from;
  for (;;) {
    if (bytes[at] === newline) at++;
    else if (bytes[at] === carriageReturn && bytes[at + 1] === newline) at += 2;
    else return at;
  }
}

const newline = 10;
const carriageReturn = 13;
