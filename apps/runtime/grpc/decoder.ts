import { SizedBuffer } from '../sized-buffer.ts';

/** Bytes before each message: whether it is compressed, and its length. Source: PROTOCOL-HTTP2.md, Length-Prefixed-Message. */
export const prefixLength = 5;

/**
 * Cuts the bytes of a gRPC stream into messages, each with its prefix, as grpc-js' StreamDecoder does, whose place it takes
 * (mended.ts). Unlike that one it tells whether the stream may end, and makes no object for each part of a message.
 */
export class MessageDecoder {
  readonly #limit: number;
  /** A prefix of which a part is there. */
  #prefix: SizedBuffer | undefined;
  /** A message, with its prefix, of which a part is there. */
  #message: SizedBuffer | undefined;

  /** Told of each change of what is held. @throws Error when that is too much */
  hold: (change: number) => void = () => undefined;
  #held = 0;

  /** @param limit - longest message; -1 for any. Bytes. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Whether the stream may end here: between two messages. */
  get between(): boolean {
    return this.#prefix === undefined && this.#message === undefined;
  }

  /** @returns the messages that a part of the stream completes. @throws Error for one that is longer than the limit */
  write(data: Buffer): Buffer[] {
    const messages: Buffer[] = [];
    let at = 0;
    while (at < data.length) {
      if (this.between && data.length - at >= prefixLength) {
        const end = at + prefixLength + this.#lengthAt(data, at);
        if (end <= data.length) {
          // A copy: a view would keep all of a part alive for one message in it.
          messages.push(Buffer.from(data.subarray(at, end)));
          at = end;
          continue;
        }
        this.#message = new SizedBuffer(end - at);
      }
      at +=
        this.#message === undefined ? this.#readPrefix(data, at) : this.#readMessage(this.#message, data, at);
      if (this.#message?.complete === true) {
        messages.push(this.#message.whole());
        this.release();
      }
    }
    return messages;
  }

  /** Lets go of what is held. */
  release(): void {
    if (this.#held > 0) this.hold(-this.#held);
    this.#held = 0;
    this.#message = undefined;
  }

  #readMessage(message: SizedBuffer, data: Buffer, at: number): number {
    const part = Math.min(data.length - at, message.left);
    this.hold(part);
    this.#held += part;
    return message.add(data, at);
  }

  #readPrefix(data: Buffer, at: number): number {
    const prefix = (this.#prefix ??= new SizedBuffer(prefixLength));
    const read = prefix.add(data, at);
    if (prefix.complete) {
      const bytes = prefix.whole();
      this.#prefix = undefined;
      this.#message = new SizedBuffer(prefixLength + this.#lengthAt(bytes, 0));
      this.#message.add(bytes, 0);
    }
    return read;
  }

  #lengthAt(data: Buffer, at: number): number {
    const length = data.readUInt32BE(at + 1);
    if (this.#limit === -1 || length <= this.#limit) return length;
    throw new Error(`a message of ${length} bytes was received; allowed at most ${this.#limit}`);
  }
}
