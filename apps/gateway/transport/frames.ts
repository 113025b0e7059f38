import { SizedBuffer } from '../../runtime/sized-buffer.ts';

/** Bytes before each message: whether it is compressed, and its length. Source: PROTOCOL-HTTP2.md, Length-Prefixed-Message. */
const prefixLength = 5;

/** Larger messages are written beside their prefix; smaller ones are cheaper to copy behind it. Bytes. */
const copyLimit = 16_384;

/** A message with its prefix, as one or two pieces to be written one after the other. */
export function frameMessage(message: Uint8Array): Uint8Array[] {
  const copied = message.length <= copyLimit;
  const frame = Buffer.allocUnsafe(copied ? prefixLength + message.length : prefixLength);
  frame[0] = 0;
  frame.writeUInt32BE(message.length, 1);
  if (!copied) return [frame, message];
  frame.set(message, prefixLength);
  return [frame];
}

/** Why a stream of messages cannot be read on. */
export type FrameProblem =
  | { readonly kind: 'compressed' }
  | { readonly kind: 'tooLarge'; readonly length: number; readonly limit: number };

const nothing = new Uint8Array();

/**
 * Cuts a stream of bytes into messages. A message that lies within one piece is a view of it: node:http2 gives each
 * piece memory of its own, which is never written again, but a small view keeps its whole piece (up to 64 KiB) alive.
 * One that lies in more pieces is copied together as they come, so that a peer that sends bytes one by one makes no
 * object for each.
 */
export class MessageReader {
  readonly #limit: number;
  /** Made for a prefix that is cut, which is rare. */
  #prefix: Uint8Array | undefined;
  #prefixFilled = 0;
  /** The length of the message being read; -1 while its prefix is. */
  #length = -1;
  /** Of a message that lies in more than one piece. */
  #gathered: SizedBuffer | undefined;
  #chunk: Uint8Array = nothing;
  #offset = 0;
  problem: FrameProblem | undefined;

  /** @param limit - longest message. Bytes. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Adds a piece. Every message of the one before has to be taken. */
  push(chunk: Uint8Array): void {
    this.#chunk = chunk;
    this.#offset = 0;
  }

  /** The next message; undefined when more bytes are needed, or when there is a {@link problem}. */
  next(): Uint8Array | undefined {
    if (this.problem !== undefined) return undefined;
    if (this.#length < 0 && !this.#readPrefix()) return undefined;
    const chunk = this.#chunk;
    const start = this.#offset;
    if (this.#gathered === undefined) {
      const end = start + this.#length;
      if (end <= chunk.length) {
        this.#offset = end;
        this.#length = -1;
        return chunk.subarray(start, end);
      }
      this.#gathered = new SizedBuffer(this.#length);
    }
    this.#offset += this.#gathered.add(chunk, start);
    if (!this.#gathered.complete) return undefined;
    const message = this.#gathered.whole();
    this.#gathered = undefined;
    this.#length = -1;
    return message;
  }

  /** The length of the message of which only a part has come; 0 when there is none. Bytes. */
  get awaited(): number {
    return this.#gathered === undefined ? 0 : this.#length;
  }

  /** Whether the stream may end here: between two messages. */
  get between(): boolean {
    return this.#length < 0 && this.#prefixFilled === 0 && this.#offset === this.#chunk.length;
  }

  /** Whether every byte so far has been looked at. */
  get drained(): boolean {
    return this.#offset === this.#chunk.length;
  }

  #readPrefix(): boolean {
    let prefix = this.#chunk;
    let at = this.#offset;
    if (this.#prefixFilled > 0 || prefix.length - at < prefixLength) {
      const part = prefix.subarray(at, at + prefixLength - this.#prefixFilled);
      const gathered = (this.#prefix ??= new Uint8Array(prefixLength));
      gathered.set(part, this.#prefixFilled);
      this.#prefixFilled += part.length;
      this.#offset += part.length;
      if (this.#prefixFilled < prefixLength) return false;
      this.#prefixFilled = 0;
      prefix = gathered;
      at = 0;
    } else {
      this.#offset += prefixLength;
    }
    // Flags other than the lowest are not defined.
    if (prefix[at] !== 0) return this.#fail({ kind: 'compressed' });
    const length =
      (prefix[at + 1] ?? 0) * 0x1_00_00_00 +
      (((prefix[at + 2] ?? 0) << 16) | ((prefix[at + 3] ?? 0) << 8) | (prefix[at + 4] ?? 0));
    if (length > this.#limit) return this.#fail({ kind: 'tooLarge', length, limit: this.#limit });
    this.#length = length;
    return true;
  }

  #fail(problem: FrameProblem): false {
    this.problem = problem;
    return false;
  }
}
