import { status } from '@grpc/grpc-js';
import type { RawData, WebSocket } from 'ws';
import { statusError } from '../../runtime/status.ts';
import type { StatusError } from '../../runtime/status.ts';
import { errorOf, knownError } from './errors.ts';
import { stopping } from './exchange.ts';
import type { Scope } from './exchange.ts';
import { textOf } from './formats.ts';
import type { Match } from './route.ts';
import { statusJson } from './http-status.ts';
import type { Call, CallListener, CallOptions, CallStatus, MetadataPairs } from '../transport/types.ts';

/** A client that has not answered a ping when the next one is due is gone. Milliseconds. */
const pingMs = 30_000;

/** Answers wait in the service, not here, while this much waits for the client. Bytes. */
const sendBuffer = 65_536;

/** Close codes: of RFC 6455, section 7.4.1, and from 4000 on, which are an application's, those of gRPC. */
const closeCodes = { done: 1000, goingAway: 1001, textOnly: 1003, afterEnd: 1008, grpc: 4000 } as const;

/** A streaming call over a WebSocket. */
export class SocketExchange implements CallListener {
  /** The gRPC status that ended it; undefined until then. */
  code: status | undefined;
  readonly #socket: WebSocket;
  readonly #match: Match;
  readonly #scope: Scope;
  #call: Call | undefined;
  #header: MetadataPairs = [];
  #inputEnded = false;
  #paused = false;
  #alive = true;
  #idle: NodeJS.Timeout | undefined;
  #pings: NodeJS.Timeout | undefined;

  constructor(socket: WebSocket, match: Match, scope: Scope) {
    this.#socket = socket;
    this.#match = match;
    this.#scope = scope;
  }

  /** Starts the call, or waits for its request. */
  start(options: CallOptions): void {
    const { streamIdleMs, streams } = this.#scope;
    const { route } = this.#match;
    streams.add(this);
    this.#idle = setTimeout(() => {
      this.#fail(statusError(status.DEADLINE_EXCEEDED, `the stream stood still for ${streamIdleMs} ms`));
      if (this.#socket.bufferedAmount > 0) this.#socket.terminate();
    }, streamIdleMs);
    this.#pings = setInterval(() => {
      this.#ping();
    }, pingMs);
    this.#socket.on('pong', () => (this.#alive = true));
    this.#socket.on('message', (data, isBinary) => {
      this.#received(data, isBinary, options);
    });
    // What a client does against the protocol is answered by the library, with the close code for it.
    this.#socket.on('error', () => undefined);
    this.#socket.once('close', () => {
      if (this.over) return;
      this.#settle(status.CANCELLED);
      this.#call?.cancel();
    });
    if (route.manyIn) this.#call = route.transport.call(route.path, options, this);
    else if (route.binding.body.kind === 'none') this.#sendOnly(undefined, options);
  }

  private get over(): boolean {
    return this.code !== undefined;
  }

  header(metadata: MetadataPairs): void {
    this.#header = metadata;
  }

  message(bytes: Uint8Array): void {
    if (this.over) return;
    this.#idle?.refresh();
    try {
      this.#socket.send(`{"result":${textOf(this.#match.route.codec.encode(bytes))}}`, () => {
        this.#sent();
      });
    } catch (error) {
      this.#fail(error);
      return;
    }
    if (this.#paused || this.#socket.bufferedAmount < sendBuffer) return;
    this.#paused = true;
    this.#call?.pause();
  }

  writable(): void {
    if (!this.over) this.#socket.resume();
  }

  end(ended: CallStatus): void {
    if (this.over) return;
    if (ended.code !== 0) {
      this.#fail(errorOf(ended, this.#header, this.#match.route, this.#scope.log));
      return;
    }
    this.#settle(status.OK);
    this.#socket.close(closeCodes.done);
  }

  thrown(error: unknown): void {
    this.#scope.log.error({ err: error, method: this.#match.route.name }, 'an answer could not be given');
    if (!this.over) this.#settle(status.INTERNAL);
    this.#socket.terminate();
  }

  /** Ends the stream because the gateway stops. */
  stop(): void {
    this.#fail(stopping, closeCodes.goingAway);
  }

  #received(data: RawData, isBinary: boolean, options: CallOptions): void {
    if (this.over) return;
    this.#idle?.refresh();
    if (isBinary) {
      this.#refuse(closeCodes.textOnly, 'text messages only');
      return;
    }
    const bytes = data as Buffer;
    if (this.#inputEnded) this.#refuse(closeCodes.afterEnd, 'a message after the end of input');
    else if (!this.#match.route.manyIn) this.#sendOnly(bytes, options);
    else if (bytes.length > 0) this.#send(bytes);
    else {
      this.#inputEnded = true;
      this.#call?.endSend();
    }
  }

  #send(body: Buffer): void {
    try {
      const { route, path, query } = this.#match;
      if (this.#call?.send(route.codec.decode({ path, query, body })) === false) this.#socket.pause();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Makes a call that takes one message. */
  #sendOnly(body: Buffer | undefined, options: CallOptions): void {
    this.#inputEnded = true;
    try {
      const { route, path, query } = this.#match;
      const message = route.codec.decode({ path, query, body });
      this.#call = route.transport.call(route.path, options, this);
      this.#call.send(message);
      this.#call.endSend();
    } catch (error) {
      this.#fail(error);
    }
  }

  #sent(): void {
    if (!this.#paused || this.#socket.bufferedAmount >= sendBuffer) return;
    this.#paused = false;
    this.#idle?.refresh();
    this.#call?.resume();
  }

  #ping(): void {
    if (!this.#alive) {
      this.#socket.terminate();
      return;
    }
    this.#alive = false;
    this.#socket.ping();
  }

  #fail(thrown: unknown, closeCode?: number): void {
    if (this.over) return;
    const error: StatusError = knownError(thrown, this.#scope.log);
    this.#settle(error.code);
    this.#socket.send(`{"error":${statusJson(error, this.#scope.registry)}}`);
    this.#socket.close(closeCode ?? closeCodes.grpc + error.code, reasonOf(error.message));
    this.#call?.cancel();
  }

  #refuse(code: number, reason: string): void {
    this.#settle(status.INVALID_ARGUMENT);
    this.#socket.close(code, reason);
    this.#call?.cancel();
  }

  #settle(code: status): void {
    this.code = code;
    clearTimeout(this.#idle);
    clearInterval(this.#pings);
    this.#scope.streams.delete(this);
    // One that is not read would not hear the client close.
    this.#socket.resume();
  }
}

/** A close frame has room for 123 bytes (RFC 6455, section 5.5.1); the message before it says it all. */
function reasonOf(message: string): string {
  const bytes = Buffer.from(message.toWellFormed());
  if (bytes.length <= 123) return bytes.toString();
  return new TextDecoder().decode(bytes.subarray(0, 123)).replace(/\ufffd+$/, '');
}
