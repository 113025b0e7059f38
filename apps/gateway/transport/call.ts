import { constants } from 'node:http2';
import type { ClientHttp2Stream } from 'node:http2';
import { status } from '@grpc/grpc-js';
import type { Connection, StreamUser } from './connection.ts';
import { MessageReader, frameMessage } from './frames.ts';
import { isGrpc, readHeaders, timeoutHeader } from './metadata.ts';
import type { ReceivedHeaders } from './metadata.ts';
import { codeOf, decodeMessage, localStatus, statusOfHttp, statusOfReset } from './status.ts';
import type { Call, CallListener, CallOptions, CallStatus } from './types.ts';

/** Who finds connections for calls. */
export interface CallOwner {
  /** Attaches the call to a connection, now or when there is one. */
  place(call: ClientCall): void;
  /** The call has ended. */
  ended(call: ClientCall): void;
}

/** What is kept of a request until the answer begins, to send it again on another connection. Bytes. */
const replayLimit = 256 * 1024;

/** What may be sent before there is a connection. Bytes. */
const queueLimit = 64 * 1024;

const ok: number = status.OK;

/** setTimeout takes no more. Milliseconds. */
const longestTimer = 2 ** 31 - 1;

/** One call, on one stream at a time: on another only when the peer never looked at the first. */
export class ClientCall implements Call, StreamUser {
  readonly #owner: CallOwner;
  /** Those of the request but for `grpc-timeout`. */
  readonly #headers: string[];
  readonly #deadline: number;
  readonly #listener: CallListener;
  readonly #limit: number;
  readonly #reader: MessageReader;
  #connection: Connection | undefined;
  #stream: ClientHttp2Stream | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** The messages so far with their prefixes; undefined from when they cannot be sent again. */
  #sent: Uint8Array[] | undefined = [];
  #sentBytes = 0;
  #sendEnded = false;
  #blocked = false;
  #paused = false;
  #delivering = false;
  #retried = false;
  #answered = false;
  #ended = false;
  /** The peer's, while messages before it are not delivered. */
  #status: CallStatus | undefined;

  /** @param headers - of the request but for `grpc-timeout`, name after value after name */
  constructor(
    owner: CallOwner,
    headers: string[],
    { deadline }: CallOptions,
    listener: CallListener,
    limit: number,
  ) {
    this.#owner = owner;
    this.#headers = headers;
    this.#deadline = deadline;
    this.#listener = listener;
    this.#limit = limit;
    this.#reader = new MessageReader(limit);
    if (deadline !== Infinity) this.#armTimer(deadline - Date.now());
  }

  get streamId(): number | undefined {
    return this.#stream?.id;
  }

  /** Starts the request on a connection with room. */
  attach(connection: Connection): void {
    this.#connection = connection;
    const stream = connection.open(this, this.#timedHeaders());
    this.#stream = stream;
    this.#listen(stream);
    const frames = this.#sent ?? [];
    for (const frame of frames) stream.write(frame);
    if (this.#sendEnded) stream.end();
    if (this.#sentBytes > replayLimit) this.#sent = undefined;
    if (this.#blocked && !stream.writableNeedDrain) this.#unblock();
  }

  send(message: Uint8Array): boolean {
    if (this.#sendEnded) throw new Error('send() after endSend()');
    if (this.#ended) return true;
    let ready = true;
    for (const frame of frameMessage(message)) {
      this.#sent?.push(frame);
      this.#sentBytes += frame.length;
      if (this.#stream !== undefined) ready = this.#stream.write(frame);
    }
    if (this.#stream === undefined) ready = this.#sentBytes <= queueLimit;
    else if (this.#sentBytes > replayLimit) this.#sent = undefined;
    if (!ready) this.#blocked = true;
    return ready;
  }

  endSend(): void {
    if (this.#sendEnded) return;
    this.#sendEnded = true;
    if (!this.#ended) this.#stream?.end();
  }

  pause(): void {
    this.#paused = true;
    this.#stream?.pause();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    if (this.#delivering || this.#ended) return;
    this.#deliver();
    if (this.#mayFlow()) this.#stream?.resume();
  }

  cancel(): void {
    this.finish(localStatus(status.CANCELLED, 'the call was cancelled'));
  }

  /** Ends the call with a status of this side's making, for the peer too. */
  finish(result: CallStatus): void {
    this.#end(result, constants.NGHTTP2_CANCEL);
  }

  refused(sent = true): void {
    if (this.#ended) return;
    if (this.#answered || this.#sent === undefined || (sent && this.#retried)) {
      this.finish(localStatus(status.UNAVAILABLE, 'the peer refused the stream'));
      return;
    }
    if (sent) this.#retried = true;
    const connection = this.#connection;
    this.#connection = undefined;
    this.#stream = undefined;
    connection?.release(this);
    this.#owner.place(this);
  }

  #listen(stream: ClientHttp2Stream): void {
    if (this.#paused) stream.pause();
    stream.on('response', (_headers, flags, raw) => {
      if (this.#stream === stream) this.#onResponse(readHeaders(raw), flags);
    });
    stream.on('data', (chunk: Uint8Array) => {
      if (this.#stream !== stream || this.#ended) return;
      this.#connection?.heard();
      this.#reader.push(chunk);
      this.#deliver();
    });
    stream.on('trailers', (...args: unknown[]) => {
      if (this.#stream === stream) this.#onStatus(readHeaders(args[2] as string[]));
    });
    stream.on('drain', () => {
      if (this.#stream === stream && this.#blocked) this.#unblock();
    });
    stream.on('end', () => {
      // A lost connection and a reset end the stream as well, and are told by 'close'.
      const whole = this.#connection?.lost === undefined && stream.rstCode === constants.NGHTTP2_NO_ERROR;
      if (this.#stream === stream && this.#status === undefined && whole) {
        this.finish(localStatus(status.UNKNOWN, 'the answer has no grpc-status'));
      }
    });
    stream.on('frameError', (type) => {
      // 1 is HEADERS: the request never left.
      if (this.#stream === stream && type === 1) this.refused(false);
    });
    // What an error means is told by the code that the stream is closed with.
    stream.on('error', () => undefined);
    stream.on('close', () => {
      if (this.#stream === stream) this.#onClose(stream);
    });
  }

  #onResponse(headers: ReceivedHeaders, flags: number): void {
    if (this.#ended) return;
    this.#connection?.heard();
    this.#answered = true;
    this.#sent = undefined;
    const { httpStatus, contentType } = headers;
    if ((flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0) {
      this.#onStatus(headers);
    } else if (httpStatus !== '200' || !isGrpc(contentType)) {
      this.finish(statusOf(headers) ?? notGrpc(headers));
    } else {
      this.#listener.header(headers.metadata);
      if (this.#mayFlow()) this.#deliver();
    }
  }

  #onStatus(headers: ReceivedHeaders): void {
    if (this.#ended) return;
    this.#connection?.heard();
    this.#status = statusOf(headers) ?? notGrpc(headers);
    this.#endIfDelivered();
  }

  /** Hands over what has been read, unless paused. */
  #deliver(): void {
    this.#delivering = true;
    while (this.#mayFlow()) {
      const message = this.#reader.next();
      if (message === undefined) break;
      this.#listener.message(message);
    }
    this.#delivering = false;
    const { problem } = this.#reader;
    if (problem?.kind === 'compressed') {
      this.finish(localStatus(status.INTERNAL, 'a message is compressed, which was not offered'));
    } else if (problem !== undefined) {
      const { length } = problem;
      const message = `a message of ${length} bytes was received; allowed at most ${this.#limit}`;
      this.finish(localStatus(status.RESOURCE_EXHAUSTED, message));
    } else if (this.#status !== undefined) {
      this.#endIfDelivered();
    }
  }

  #mayFlow(): boolean {
    return !this.#paused && !this.#ended;
  }

  #endIfDelivered(): void {
    const result = this.#status;
    const stream = this.#stream;
    if (result === undefined || stream === undefined) return;
    if (!this.#reader.drained || stream.readableLength > 0) return;
    // The peer is done: end the request too, should it not have ended.
    const reset = stream.writableEnded ? constants.NGHTTP2_CANCEL : constants.NGHTTP2_NO_ERROR;
    const cut = result.code === ok && !this.#reader.between;
    const end = cut ? localStatus(status.INTERNAL, 'the answer ends within a message') : result;
    this.#end(end, stream.writableFinished ? undefined : reset);
  }

  #onClose(stream: ClientHttp2Stream): void {
    // With the status known and nothing left in the stream, what is missing is held back here, by pause().
    if (this.#ended || (this.#status !== undefined && stream.readableLength === 0)) return;
    const connection = this.#connection;
    const lost = connection?.lost;
    if (stream.id === undefined) {
      this.refused(false);
    } else if (lost !== undefined) {
      this.finish(localStatus(status.UNAVAILABLE, `connection lost: ${lost}`));
    } else if (stream.rstCode === constants.NGHTTP2_REFUSED_STREAM) {
      this.refused();
    } else if (stream.rstCode === constants.NGHTTP2_NO_ERROR) {
      this.finish(localStatus(status.UNKNOWN, 'the answer has no grpc-status'));
    } else if (stream.rstCode === constants.NGHTTP2_CANCEL && Date.now() >= this.#deadline) {
      this.#expire();
    } else {
      this.finish(statusOfReset(stream.rstCode));
    }
  }

  #unblock(): void {
    this.#blocked = false;
    this.#listener.writable();
  }

  #timedHeaders(): readonly string[] {
    if (this.#deadline === Infinity) return this.#headers;
    return [...this.#headers, 'grpc-timeout', timeoutHeader(this.#deadline - Date.now())];
  }

  #armTimer(milliseconds: number): void {
    this.#timer = setTimeout(onTimer, Math.max(Math.min(milliseconds, longestTimer), 0), this);
  }

  /** For the timer. */
  expireIfDue(): void {
    const left = this.#deadline - Date.now();
    if (left > 0) this.#armTimer(left);
    else this.#expire();
  }

  #expire(): void {
    this.finish(localStatus(status.DEADLINE_EXCEEDED, 'the deadline was exceeded'));
  }

  #end(result: CallStatus, reset: number | undefined): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#sent = undefined;
    clearTimeout(this.#timer);
    if (reset !== undefined) this.#stream?.close(reset);
    this.#connection?.release(this);
    this.#owner.ended(this);
    this.#listener.end(result);
  }
}

function onTimer(call: ClientCall): void {
  call.expireIfDue();
}

function statusOf({ grpcStatus, grpcMessage, metadata }: ReceivedHeaders): CallStatus | undefined {
  if (grpcStatus === undefined) return undefined;
  return { code: codeOf(grpcStatus), message: decodeMessage(grpcMessage), trailers: metadata, from: 'peer' };
}

/** What an answer means that has no `grpc-status`. */
function notGrpc({ httpStatus, contentType }: ReceivedHeaders): CallStatus {
  if (httpStatus === '') return localStatus(status.UNKNOWN, 'the answer has no grpc-status');
  const type = contentType === undefined ? 'no content-type' : `content-type ${contentType}`;
  return localStatus(statusOfHttp(httpStatus), `the answer is not gRPC: HTTP status ${httpStatus}, ${type}`);
}
