import type { IncomingMessage, ServerResponse } from 'node:http';
import { status } from '@grpc/grpc-js';
import type { Registry } from '@bufbuild/protobuf';
import type { Logger } from '../../runtime/log.ts';
import { statusError } from '../../runtime/status.ts';
import type { StatusError } from '../../runtime/status.ts';
import type { Account } from './budget/account.ts';
import type { BodyLimits } from './body.ts';
import { deadlineOf } from './deadline.ts';
import type { Timeouts } from './deadline.ts';
import { errorOf, knownError } from './errors.ts';
import { alone, failAlone } from './guard/alone.ts';
import type { Failing } from './guard/alone.ts';
import { takesTrailers } from './headers.ts';
import type { Crossing } from './headers.ts';
import type { Match } from './route.ts';
import { HttpError, httpStatusOf, statusJson } from './http-status.ts';
import { replayLimit } from '../transport/outbox.ts';
import type { Call, CallListener, CallStatus, MetadataPairs } from '../transport/types.ts';

/** What all exchanges of a gateway share. */
export interface Scope {
  /** The types that may stand in a google.protobuf.Any. */
  readonly registry: Registry;
  readonly crossing: Crossing;
  readonly timeouts: Timeouts;
  readonly body: BodyLimits;
  /** How long a stream may stand still before it is ended. Milliseconds. */
  readonly streamIdleMs: number;
  readonly log: Logger;
  /** Streams that are open, so that they can be told to end. */
  readonly streams: Set<{ stop(): void }>;
}

/** One request of HTTP answered by one call of gRPC. What comes after it is over is left aside. */
export abstract class Exchange implements CallListener, Failing {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly match: Match;
  /** What it holds. */
  readonly account: Account;
  /** The gRPC status that was answered; undefined until then. */
  code: status | undefined;
  protected readonly scope: Scope;
  protected call: Call | undefined;
  protected answerHeader: MetadataPairs = [];
  #answers = false;
  #whenWritable: (() => void) | undefined;
  #idle: NodeJS.Timeout | undefined;

  constructor(
    request: IncomingMessage,
    response: ServerResponse,
    match: Match,
    scope: Scope,
    account: Account,
  ) {
    this.account = account;
    this.request = request;
    this.response = response;
    this.match = match;
    this.scope = scope;
  }

  /** What the client takes for an answer. @throws HttpError 406 when that is nothing that is made here */
  abstract negotiate(): void;

  /** Answers a request that needs no call. @returns whether it was one */
  answersAtOnce(): boolean {
    return false;
  }

  /**
   * Watches a stream: it may not stand still for longer than the limit, and is told when the gateway stops.
   * @throws HttpError when there are too many
   */
  watch(): void {
    const { streams, streamIdleMs } = this.scope;
    this.account.stream();
    streams.add(this);
    // The server's own limit is for requests without a stream.
    this.request.socket.setTimeout(0);
    this.#idle = setTimeout(() => {
      alone(this, () => {
        this.fail(statusError(status.DEADLINE_EXCEEDED, `the stream was idle for ${streamIdleMs} ms`));
        // One who does not read will not read the error either; nor what is left of a stream that has ended.
        if (this.response.writableLength > 0) this.response.destroy();
      });
    }, streamIdleMs);
  }

  /** A watched stream moves: a message came or went. */
  touch(): void {
    this.#idle?.refresh();
  }

  /** Ends a stream because the gateway stops. */
  stop(): void {
    alone(this, () => {
      this.fail(stopping);
    });
  }

  /** Starts the call. @throws StatusError for what the headers say */
  open(): Call {
    const { route } = this.match;
    const { headers } = this.request;
    const metadata = this.scope.crossing.metadataOf(this.request);
    const deadline = deadlineOf(headers, route.manyIn || route.manyOut, this.scope.timeouts);
    this.call = route.transport.call(route.path, { metadata, deadline }, this);
    return this.call;
  }

  /** Makes the call with its one message. Never throws. */
  sendOne(body: Uint8Array | undefined): void {
    if (this.over) return;
    try {
      const { route, path, query } = this.match;
      const message = route.codec.decode({ path, query, body });
      this.account.hold('input', 0);
      this.account.hold('sent', message.length);
      const call = this.open();
      call.send(message);
      call.endSend();
    } catch (error) {
      this.fail(error);
    }
  }

  /** Receives the word that the call takes more, after a send that returned false. */
  onWritable(listener: () => void): void {
    this.#whenWritable = listener;
  }

  get over(): boolean {
    return this.code !== undefined;
  }

  header(metadata: MetadataPairs): void {
    this.answerHeader = metadata;
    this.#answers = true;
    // It is not kept any more to be sent again; of a stream that is sent, what waits is said line by line.
    if (!this.match.route.manyIn) this.account.hold('sent', 0);
  }

  /** How much of so many bytes that were sent is kept, to be sent again should the service not take the call. */
  kept(bytes: number): number {
    return this.#answers || bytes > replayLimit ? 0 : bytes;
  }

  awaits(length: number): void {
    this.account.hold('answer', length);
  }

  abstract message(bytes: Uint8Array): void;

  writable(): void {
    this.#whenWritable?.();
  }

  abstract end(ended: CallStatus): void;

  thrown(error: unknown): void {
    failAlone(this, error);
  }

  /** The answer is there, or the client is gone. */
  closed(): void {
    clearTimeout(this.#idle);
    this.account.close();
    if (this.over) return;
    this.settle(status.CANCELLED);
    alone(this, () => {
      this.call?.cancel();
    });
  }

  /** Ends the exchange: what comes after this is left aside. */
  protected settle(code: status): void {
    this.code = code;
    this.account.read();
    this.scope.streams.delete(this);
  }

  /** Answers an error, and ends the call if it still runs. */
  fail(thrown: unknown): void {
    if (this.over) return;
    const error = knownError(thrown, this.scope.log);
    this.settle(error.code);
    this.call?.cancel();
    if (this.response.destroyed) return;
    this.answerError(error);
  }

  drop(thrown: unknown): void {
    this.scope.log.error({ err: thrown }, 'request dropped');
    this.response.destroy();
  }

  /** JSON of a message of the answer. @throws StatusError when it has none, or there is no room for it */
  protected encode(bytes: Uint8Array): Uint8Array {
    return this.account.make((room) => this.match.route.codec.encode(bytes, room));
  }

  protected failed(ended: CallStatus): void {
    this.fail(errorOf(ended, this.answerHeader, this.match.route, this.scope.log));
  }

  /** Answers with the HTTP status and the google.rpc.Status of an error. */
  protected answerError(error: StatusError): void {
    const trailers = pairsOf(error);
    const last = new Set(trailers.map(([name]) => name));
    const headers = {
      ...leftoverOf(this.request),
      // An error may come with the header of the answer already there; what its own metadata says anew counts.
      ...this.scope.crossing.headersOf([
        ...this.answerHeader.filter(([name]) => !last.has(name)),
        ...trailers,
      ]),
      ...(error instanceof HttpError ? error.headers : {}),
    };
    const fields = this.trailerFields(trailers);
    sendJson(this.response, httpStatusOf(error), headers, statusJson(error, this.scope.registry), fields);
  }

  /** The trailer fields to send: none to a client that does not read them. */
  protected trailerFields(trailers: MetadataPairs): [string, string][] {
    return trailers.length > 0 && takesTrailers(this.request) ? this.scope.crossing.trailersOf(trailers) : [];
  }
}

/** A body of this many bytes is read and left aside, so that the connection can go on. */
const leftoverLimit = 65_536;

/** The header that ends the connection after an answer, when more of the request's body may come than is worth reading. */
export function leftoverOf(request: IncomingMessage): { readonly connection?: 'close' } {
  if (request.complete) return {};
  const { 'transfer-encoding': chunked, 'content-length': length = '0' } = request.headers;
  return chunked !== undefined || Number(length) > leftoverLimit ? { connection: 'close' } : {};
}

/** Sends a whole answer. With trailer fields it is sent in chunks, as RFC 9112, section 7.1.2 has it. */
export function sendJson(
  response: ServerResponse,
  httpStatus: number,
  headers: Readonly<Record<string, string>>,
  body: string | Uint8Array,
  trailers: readonly (readonly [string, string])[] = [],
): void {
  const all: Record<string, string | number> = { 'content-type': 'application/json', ...headers };
  if (trailers.length === 0) all['content-length'] = Buffer.byteLength(body);
  else all['trailer'] = [...new Set(trailers.map(([name]) => name))].join(', ');
  response.writeHead(httpStatus, all);
  if (trailers.length > 0) response.addTrailers(trailers as [string, string][]);
  response.end(body);
}

function pairsOf({ metadata }: StatusError): MetadataPairs {
  return Object.keys(metadata.getMap()).flatMap((name) =>
    metadata
      .get(name)
      .map((value) => [name, typeof value === 'string' ? value : value.toString('base64')] as const),
  );
}

/** What a stream is told whose answers wait for a client that does not read, when there is no room for others. */
export const notRead = statusError(
  status.UNAVAILABLE,
  'the stream is not being read while other requests wait; call again',
);

/** What a stream that may not go on is told. */
export const stopping = statusError(status.UNAVAILABLE, 'the gateway is stopping; call again');
