/** The first piece of memory for what comes in parts. Bytes. */
const least = 4_096;

/**
 * Bytes of a known number that arrive in parts of any size. Each part is copied at once: a peer that sends byte by byte
 * makes no object for each. The memory grows with what has come, not with what the peer has announced.
 */
export class SizedBuffer {
  readonly #total: number;
  #bytes = nothing;
  #length = 0;

  /** @param total - length of the whole. Bytes. */
  constructor(total: number) {
    this.#total = total;
  }

  /** What is still to come. Bytes. */
  get left(): number {
    return this.#total - this.#length;
  }

  get complete(): boolean {
    return this.#length === this.#total;
  }

  /** Takes what belongs to the whole from a part. @returns how many bytes that was */
  add(part: Uint8Array, from: number): number {
    const taken = Math.min(this.#total - this.#length, part.length - from);
    const length = this.#length + taken;
    if (length > this.#bytes.length) {
      const grown = Buffer.allocUnsafe(Math.min(this.#total, Math.max(least, 2 * length)));
      grown.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = grown;
    }
    this.#bytes.set(part.subarray(from, from + taken), this.#length);
    this.#length = length;
    return taken;
  }

  /** The whole, once it is complete. */
  whole(): Buffer {
    return this.#bytes;
  }
}

const nothing = Buffer.alloc(0);
