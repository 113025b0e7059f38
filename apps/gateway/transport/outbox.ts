import type { ClientHttp2Stream } from 'node:http2';
import { frameMessage } from './frames.ts';
import { listenToDrain } from './stream.ts';

/** What is kept of a request until the answer begins, to send it again on another connection. Bytes. */
export const replayLimit = 256 * 1024;

/** What may be sent before there is a connection. Bytes. */
const queueLimit = 64 * 1024;

/** Before the first message, to save an array. */
const none: Uint8Array[] = [];

/** A call's messages to the peer. */
export class Outbox {
  /** Those so far with their prefixes; undefined from when they cannot be sent again. */
  #kept: Uint8Array[] | undefined = none;
  #bytes = 0;
  #ended = false;
  #blocked = false;

  /** Whether no more will come. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Whether everything can be sent again. */
  get whole(): boolean {
    return this.#kept !== undefined;
  }

  /** @returns whether the next message is welcome; if not, the stream's drain is listened to */
  send(message: Uint8Array, stream: ClientHttp2Stream | undefined): boolean {
    if (this.#ended) throw new Error('send() after endSend()');
    const frames = frameMessage(message);
    if (this.#kept === none) this.#kept = frames;
    else this.#kept?.push(...frames);
    let ready = true;
    for (const frame of frames) {
      this.#bytes += frame.length;
      if (stream !== undefined) ready = stream.write(frame);
    }
    if (stream === undefined) ready = this.#bytes <= queueLimit;
    else this.#keepLittle();
    if (ready || this.#blocked) return ready;
    this.#blocked = true;
    if (stream !== undefined) listenToDrain(stream);
    return false;
  }

  end(stream: ClientHttp2Stream | undefined): void {
    if (this.#ended) return;
    this.#ended = true;
    stream?.end();
  }

  /** Sends everything on a new stream. @returns whether a sender that was told to wait may go on at once */
  replay(stream: ClientHttp2Stream): boolean {
    for (const frame of this.#kept ?? []) stream.write(frame);
    if (this.#ended) stream.end();
    this.#keepLittle();
    if (!this.#blocked) return false;
    if (!stream.writableNeedDrain) return this.drained();
    listenToDrain(stream);
    return false;
  }

  /** The stream takes more. @returns whether the sender was told to wait */
  drained(): boolean {
    const blocked = this.#blocked;
    this.#blocked = false;
    return blocked;
  }

  /** Keeps nothing more: the peer has answered. */
  commit(): void {
    this.#kept = undefined;
  }

  #keepLittle(): void {
    if (this.#bytes > replayLimit) this.#kept = undefined;
  }
}
