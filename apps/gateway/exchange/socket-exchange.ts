import type { Duplex } from 'node:stream';
import { status } from '@grpc/grpc-js';
import type { RawData, WebSocket } from 'ws';
import { statusError } from '../../runtime/status.ts';
import type { StatusError } from '../../runtime/status.ts';
import type { Account } from './budget/account.ts';
import { alone, failAlone } from './guard/alone.ts';
import type { Failing } from './guard/alone.ts';
import { errorOf, knownError } from './errors.ts';
import { notRead, stopping } from './exchange.ts';
import type { Scope } from './exchange.ts';
import { textOf } from './formats.ts';
import type { Match } from './route.ts';
import { statusJson } from './http-status.ts';
import { streamWindow } from '../transport/connection.ts';
import type { Call, CallListener, CallOptions, CallStatus, MetadataPairs } from '../transport/types.ts';

/** A client that has not answered a ping when the next one is due is gone. Milliseconds. */
const pingMs = 30_000;

/** Answers wait in the service, not here, while this much waits for the client. Bytes. */
const sendBuffer = 65_536;

/** What each part that comes takes beside its bytes. Bytes. */
const partBytes = 256;

/** A control frame of a client beside its payload: two bytes and the mask (RFC 6455, section 5.2). Bytes. */
const controlFrameBytes = 6;

/** Close codes: of RFC 6455, section 7.4.1, and from 4000 on, which are an application's, those of gRPC. */
const closeCodes = { done: 1000, goingAway: 1001, textOnly: 1003, afterEnd: 1008, grpc: 4000 } as const;

/** A streaming call over a WebSocket. */
export class SocketExchange implements CallListener, Failing {
  /** The gRPC status that ended it; undefined until then. */
  code: status | undefined;
  readonly #socket: WebSocket;
  readonly #match: Match;
  readonly #scope: Scope;
  readonly #account: Account;
  #call: Call | undefined;
  #header: MetadataPairs = [];
  #inputEnded = false;
  #paused = false;
  #alive = true;
  #idle: NodeJS.Timeout | undefined;
  #pings: NodeJS.Timeout | undefined;
  /** What came since the last whole message, and what of it control frames were. Bytes. */
  #came = 0;
  #control = 0;
  /** The same, with what each part takes beside. Bytes. */
  #unread = 0;

  /** @param account - open, and counted as a stream */
  constructor(socket: WebSocket, match: Match, scope: Scope, account: Account) {
    this.#account = account;
    this.#socket = socket;
    this.#match = match;
    this.#scope = scope;
  }

  /**
   * Starts the call, or waits for its request.
   * @param connection - that the socket is on
   */
  start(options: CallOptions, connection: Duplex): void {
    const { streamIdleMs, streams } = this.#scope;
    const { route } = this.#match;
    streams.add(this);
    this.#idle = setTimeout(() => {
      alone(this, () => {
        this.fail(statusError(status.DEADLINE_EXCEEDED, `the stream was idle for ${streamIdleMs} ms`));
        if (this.#socket.bufferedAmount > 0) this.#socket.terminate();
      });
    }, streamIdleMs);
    this.#pings = setInterval(() => {
      alone(this, () => {
        this.#ping();
      });
    }, pingMs);
    this.#socket.on('ping', (payload) => {
      this.#heardControl(payload);
    });
    this.#socket.on('pong', (payload) => {
      this.#alive = true;
      this.#heardControl(payload);
    });
    // Before the library looks at them: a message that ends in them is no longer held.
    connection.prependListener('data', (part: Buffer) => {
      alone(this, () => {
        this.#receiving(part, connection);
      });
    });
    this.#socket.on('message', (data, isBinary) => {
      alone(this, () => {
        this.#received(data, isBinary, options);
      });
    });
    // What a client does against the protocol is answered by the library, with the close code for it.
    this.#socket.on('error', () => undefined);
    this.#socket.once('close', () => {
      clearTimeout(this.#idle);
      this.#account.close();
      if (this.over) return;
      this.#settle(status.CANCELLED);
      alone(this, () => {
        this.#call?.cancel();
      });
    });
    if (route.manyIn) this.#call = route.transport.call(route.path, options, this);
    else if (route.binding.body.kind === 'none') this.#sendOnly(undefined, options);
  }

  get over(): boolean {
    return this.code !== undefined;
  }

  header(metadata: MetadataPairs): void {
    this.#header = metadata;
    // It is not kept any more to be sent again.
    if (!this.#match.route.manyIn) this.#account.hold('sent', 0);
  }

  awaits(length: number): void {
    this.#account.hold('answer', length);
  }

  message(bytes: Uint8Array): void {
    if (this.over) return;
    this.#idle?.refresh();
    this.#account.hold('answer', bytes.length);
    const json = this.#account.make((room) => this.#match.route.codec.encode(bytes, room));
    this.#account.hold('answer', 0);
    this.#socket.send(`{"result":${textOf(json)}}`, () => {
      alone(this, () => {
        this.#sent();
      });
    });
    if (this.#paused || this.#socket.bufferedAmount < sendBuffer) return;
    this.#paused = true;
    this.#call?.pause();
    try {
      this.#account.hold('queue', this.#socket.bufferedAmount + streamWindow);
      this.#account.standing(() => {
        alone(this, () => {
          this.fail(notRead);
          this.#socket.terminate();
        });
      });
    } catch (error) {
      this.fail(error);
      // What waits is to be gone at once, and the error would wait behind it.
      this.#socket.terminate();
    }
  }

  writable(): void {
    this.#account.hold('sent', 0);
    if (!this.over) this.#socket.resume();
  }

  end(ended: CallStatus): void {
    if (this.over) return;
    if (ended.code !== 0) {
      this.fail(errorOf(ended, this.#header, this.#match.route, this.#scope.log));
      return;
    }
    this.#settle(status.OK);
    this.#socket.close(closeCodes.done);
  }

  thrown(error: unknown): void {
    failAlone(this, error);
  }

  /** Ends the stream because the gateway stops. */
  stop(): void {
    alone(this, () => {
      this.fail(stopping, closeCodes.goingAway);
    });
  }

  /** Fragments are views of the parts that they came in, and keep them until the message is whole. */
  #receiving(part: Buffer, connection: Duplex): void {
    this.#came += part.length;
    this.#unread += part.length + partBytes;
    try {
      this.#account.hold('input', this.#unread);
    } catch (error) {
      if (this.over) throw error;
      this.fail(error);
      // Its close frame is not waited for: more fragments would come before it.
      connection.pause();
      connection.end(() => connection.destroy());
    }
  }

  /** Nothing is kept of control frames, unless they come between the fragments of a message. */
  #heardControl(payload: Buffer): void {
    this.#control += controlFrameBytes + payload.length;
    if (this.#control === this.#came) this.#heldNothing();
  }

  #heldNothing(): void {
    this.#came = 0;
    this.#control = 0;
    this.#unread = 0;
    this.#account.hold('input', 0);
  }

  #received(data: RawData, isBinary: boolean, options: CallOptions): void {
    if (this.over) return;
    this.#idle?.refresh();
    this.#heldNothing();
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
    const { route, path, query } = this.#match;
    const message = route.codec.decode({ path, query, body });
    if (this.#call?.send(message) !== false) return;
    this.#socket.pause();
    this.#account.hold('sent', message.length);
  }

  /** Makes a call that takes one message. */
  #sendOnly(body: Buffer | undefined, options: CallOptions): void {
    this.#inputEnded = true;
    const { route, path, query } = this.#match;
    const message = route.codec.decode({ path, query, body });
    this.#account.hold('sent', message.length);
    this.#call = route.transport.call(route.path, options, this);
    this.#call.send(message);
    this.#call.endSend();
  }

  #sent(): void {
    if (!this.#paused || this.#socket.bufferedAmount >= sendBuffer) return;
    this.#paused = false;
    this.#account.moved();
    this.#account.hold('queue', 0);
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

  fail(thrown: unknown, closeCode?: number): void {
    if (this.over) return;
    const error: StatusError = knownError(thrown, this.#scope.log);
    this.#settle(error.code);
    this.#socket.send(`{"error":${statusJson(error, this.#scope.registry)}}`);
    this.#socket.close(closeCode ?? closeCodes.grpc + error.code, reasonOf(error.message));
    this.#call?.cancel();
  }

  drop(thrown: unknown): void {
    this.#scope.log.error({ err: thrown }, 'WebSocket dropped');
    this.#socket.terminate();
  }

  #refuse(code: number, reason: string): void {
    this.#settle(status.INVALID_ARGUMENT);
    this.#socket.close(code, reason);
    this.#call?.cancel();
  }

  #settle(code: status): void {
    this.code = code;
    this.#account.read();
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
