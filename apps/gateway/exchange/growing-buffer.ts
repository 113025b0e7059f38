/**
 * Bytes that arrive in parts. One part is kept as it is; more are copied together at once, so that a client that sends
 * a body byte by byte does not make an object of each.
 */
export class GrowingBuffer {
  #bytes: Buffer | undefined;
  #length = 0;
  #owned = false;
  readonly #most: number;

  /** @param most - what will be added at most, so that no more room is made. Bytes. */
  constructor(most: number) {
    this.#most = most;
  }

  /** The memory that what was added takes. Bytes. */
  get held(): number {
    return this.#bytes?.length ?? 0;
  }

  get length(): number {
    return this.#length;
  }

  add(part: Buffer): void {
    if (part.length === 0) return;
    const known = this.#bytes;
    const length = this.#length + part.length;
    if (known === undefined) {
      this.#bytes = part;
    } else if (this.#owned && length <= known.length) {
      part.copy(known, this.#length);
    } else {
      const grown = Buffer.allocUnsafe(Math.max(length, Math.min(this.#most, Math.max(4_096, 4 * length))));
      known.copy(grown, 0, 0, this.#length);
      part.copy(grown, this.#length);
      this.#bytes = grown;
      this.#owned = true;
    }
    this.#length = length;
  }

  /** Hands out all that was added, and starts anew. */
  take(): Buffer {
    const bytes = this.#bytes?.subarray(0, this.#length) ?? empty;
    this.#bytes = undefined;
    this.#owned = false;
    this.#length = 0;
    return bytes;
  }
}

const empty = Buffer.alloc(0);
