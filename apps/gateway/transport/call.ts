import { constants } from 'node:http2';
import type { ClientHttp2Stream } from 'node:http2';
import { status } from '@grpc/grpc-js';
import type { Connection, StreamUser } from './connection.ts';
import { MessageReader } from './frames.ts';
import { isGrpc, readHeaders } from './metadata.ts';
import { Outbox } from './outbox.ts';
import { localStatus, notGrpc, peerStatus, statusOfProblem, statusOfReset } from './call-status.ts';
import { forget, listen, listenToEnd } from './stream.ts';
import type { StreamListener } from './stream.ts';
import type { Call, CallListener, CallStatus } from './types.ts';

/** Who finds connections for calls. */
export interface CallOwner {
  /** Attaches the call to a connection, now or when there is one. */
  place(call: ClientCall): void;
  /** The call has ended. */
  ended(call: ClientCall): void;
}

/** setTimeout takes no more. Milliseconds. */
const longestTimer = 2 ** 31 - 1;

/** RFC 9110, section 15.2, has no limit; no gRPC server sends any. */
const mostInformed = 20;

/** A peer that breaks every connection before a request is on its way would be connected to for ever. */
const mostUnsent = 3;

const { NGHTTP2_CANCEL, NGHTTP2_FLAG_END_STREAM, NGHTTP2_NO_ERROR, NGHTTP2_REFUSED_STREAM } = constants;
const ok: number = status.OK;

/** One call, on one stream at a time: on another only when the peer never looked at the first. */
export class ClientCall implements Call, StreamUser, StreamListener {
  place = -1;
  readonly #owner: CallOwner;
  readonly #headers: readonly string[];
  readonly #deadline: number;
  readonly #listener: CallListener;
  readonly #reader: MessageReader;
  readonly #outbox = new Outbox();
  #connection: Connection | undefined;
  #stream: ClientHttp2Stream | undefined;
  #timer: NodeJS.Timeout | undefined;
  #paused = false;
  #delivering = false;
  #retried = false;
  #informed = 0;
  /** Connections that ended before the request was on its way. */
  #unsent = 0;
  #ended = false;
  /** The peer's, while messages before it are not delivered. */
  #status: CallStatus | undefined;

  /**
   * @param headers - of the request, value after name
   * @param deadline - kept here and told to nobody: a proxy that knew it would end the call as one that the server did not answer, and five in
   *   a row take the server out of use for all clients
   * @param messageLimit - longest message received. Bytes.
   */
  constructor(
    owner: CallOwner,
    headers: readonly string[],
    deadline: number,
    listener: CallListener,
    messageLimit: number,
  ) {
    this.#owner = owner;
    this.#headers = headers;
    this.#deadline = deadline;
    this.#listener = listener;
    this.#reader = new MessageReader(messageLimit);
    if (deadline !== Infinity) this.#armTimer(deadline - Date.now());
  }

  get streamId(): number | undefined {
    return this.#stream?.id;
  }

  /** Starts the request on a connection with room. */
  attach(connection: Connection): void {
    this.#connection = connection;
    let stream: ClientHttp2Stream;
    try {
      stream = connection.open(this, this.#headers);
    } catch (error) {
      if (connection.lost !== undefined) this.refused(false);
      else this.finish(localStatus(status.INTERNAL, `the request cannot be sent: ${String(error)}`));
      return;
    }
    this.#stream = stream;
    if (this.#paused) stream.pause();
    listen(stream, this);
    if (this.#outbox.replay(stream)) this.#tellWritable();
  }

  send(message: Uint8Array): boolean {
    return this.#ended || this.#outbox.send(message, this.#stream);
  }

  endSend(): void {
    this.#outbox.end(this.#stream);
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
    this.#end(result, NGHTTP2_CANCEL);
  }

  refused(seen: boolean): void {
    if (this.#ended) return;
    if (!this.#outbox.whole || (seen && this.#retried)) {
      this.finish(localStatus(status.UNAVAILABLE, 'the peer refused the stream'));
      return;
    }
    if (seen) this.#retried = true;
    else if ((this.#unsent += 1) === mostUnsent) {
      const lost = this.#connection?.lost ?? 'closed by the peer';
      this.finish(localStatus(status.UNAVAILABLE, `connection lost: ${lost}`));
      return;
    }
    this.#leaveStream();
    // After a turn of the event loop, in which a session that is broken may end.
    setImmediate(placeAgain, this);
  }

  /** For the turn after {@link refused}. */
  placeAgain(): void {
    if (!this.#ended) this.#owner.place(this);
  }

  informed(): void {
    this.#informed += 1;
    if (this.#informed <= mostInformed) return;
    this.finish(
      localStatus(status.INTERNAL, `the peer sent more than ${mostInformed} informational answers (1xx)`),
    );
  }

  response(raw: readonly string[], flags: number): void {
    this.#connection?.heard();
    this.#outbox.commit();
    const headers = readHeaders(raw);
    if ((flags & NGHTTP2_FLAG_END_STREAM) !== 0) {
      this.#onStatus(peerStatus(headers) ?? notGrpc(headers));
    } else if (headers.httpStatus !== '200' || !isGrpc(headers.contentType)) {
      this.finish(peerStatus(headers) ?? notGrpc(headers));
    } else {
      if (!this.#outbox.ended && this.#stream !== undefined) listenToEnd(this.#stream);
      this.#tell(() => {
        this.#listener.header(headers.metadata);
      });
    }
  }

  data(chunk: Uint8Array): void {
    this.#connection?.heard();
    this.#reader.push(chunk);
    this.#deliver();
    const { awaited } = this.#reader;
    if (!this.#ended && awaited > 0)
      this.#tell(() => {
        this.#listener.awaits?.(awaited);
      });
  }

  trailers(raw: readonly string[]): void {
    const headers = readHeaders(raw);
    this.#onStatus(peerStatus(headers) ?? notGrpc(headers));
  }

  halfClosed(): void {
    // A lost connection and a reset end the data as well, and are told by closed().
    if (this.#connection?.lost !== undefined || this.#stream?.rstCode !== NGHTTP2_NO_ERROR) return;
    if (this.#status === undefined) this.#endWithout();
  }

  drain(): void {
    if (this.#outbox.drained()) this.#tellWritable();
  }

  closed(): void {
    const stream = this.#stream;
    if (stream === undefined) return;
    // With the status known and nothing left in the stream, what is missing is held back here, by pause().
    if (this.#status !== undefined && stream.readableLength === 0) return;
    const lost = this.#connection?.lost;
    if (stream.id === undefined) this.refused(false);
    else if (lost !== undefined) this.finish(localStatus(status.UNAVAILABLE, `connection lost: ${lost}`));
    else if (stream.rstCode === NGHTTP2_REFUSED_STREAM) this.refused(true);
    else if (stream.rstCode === NGHTTP2_NO_ERROR) this.#endWithout();
    else if (stream.rstCode === NGHTTP2_CANCEL && Date.now() >= this.#deadline) this.#expire();
    else this.finish(statusOfReset(stream.rstCode));
  }

  /** For the timer. */
  expireIfDue(): void {
    const left = this.#deadline - Date.now();
    if (left > 0) this.#armTimer(left);
    else this.#expire();
  }

  #onStatus(result: CallStatus): void {
    this.#connection?.heard();
    this.#status = result;
    this.#endIfDelivered();
  }

  /** Hands over what has been read, unless paused. */
  #deliver(): void {
    this.#delivering = true;
    this.#tell(() => {
      while (this.#mayFlow()) {
        const message = this.#reader.next();
        if (message === undefined) break;
        this.#listener.message(message);
      }
    });
    this.#delivering = false;
    const { problem } = this.#reader;
    if (problem !== undefined) this.finish(statusOfProblem(problem));
    else if (this.#status !== undefined) this.#endIfDelivered();
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
    const reset = stream.writableEnded ? NGHTTP2_CANCEL : NGHTTP2_NO_ERROR;
    const cut = result.code === ok && !this.#reader.between;
    const end = cut ? localStatus(status.INTERNAL, 'the answer ends in the middle of a message') : result;
    this.#end(end, stream.writableFinished ? undefined : reset);
  }

  #armTimer(milliseconds: number): void {
    this.#timer = setTimeout(onTimer, Math.max(Math.min(milliseconds, longestTimer), 0), this);
  }

  #expire(): void {
    this.finish(localStatus(status.DEADLINE_EXCEEDED, 'the deadline was exceeded'));
  }

  #endWithout(): void {
    this.finish(localStatus(status.UNKNOWN, 'the answer has no grpc-status'));
  }

  /** Has the listener told. What it throws ends its call, and nobody else's: the socket below is shared. */
  #tell(tell: () => void): void {
    try {
      tell();
    } catch (error) {
      this.#release(NGHTTP2_CANCEL);
      this.#listener.thrown(error);
    }
  }

  #tellWritable(): void {
    this.#tell(() => {
      this.#listener.writable();
    });
  }

  #end(result: CallStatus, reset: number | undefined): void {
    if (this.#ended) return;
    this.#release(reset);
    this.#tell(() => {
      this.#listener.end(result);
    });
  }

  #release(reset: number | undefined): void {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#timer);
    const stream = this.#stream;
    const connection = this.#connection;
    this.#leaveStream();
    this.#outbox.commit();
    if (reset !== undefined && stream !== undefined && !stream.closed) {
      connection?.resets();
      stream.close(reset);
    }
    this.#owner.ended(this);
  }

  #leaveStream(): void {
    const connection = this.#connection;
    if (this.#stream !== undefined) forget(this.#stream);
    this.#connection = undefined;
    this.#stream = undefined;
    connection?.release(this);
  }
}

function placeAgain(call: ClientCall): void {
  call.placeAgain();
}

function onTimer(call: ClientCall): void {
  call.expireIfDue();
}
