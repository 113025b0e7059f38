import type { IncomingMessage, ServerResponse } from 'node:http';
import { status } from '@grpc/grpc-js';
import type { Duplex } from 'node:stream';
import type { DescMethod, Registry } from '@bufbuild/protobuf';
import type { Logger } from '../runtime/log.ts';
import type { Binding } from '../../http-rule/binding.ts';
import { statusError } from '../runtime/status.ts';
import type { Account } from './exchange/budget/account.ts';
import { Budget } from './exchange/budget/budget.ts';
import { clientOf } from './exchange/budget/client.ts';
import type { ClientRules } from './exchange/budget/client.ts';
import { memoryBudget } from './exchange/budget/memory.ts';
import { alone, failWith } from './exchange/guard/alone.ts';
import { readBody } from './exchange/body.ts';
import type { BodyLimits } from './exchange/body.ts';
import type { Timeouts } from './exchange/deadline.ts';
import { knownError } from './exchange/errors.ts';
import { leftoverOf, sendJson } from './exchange/exchange.ts';
import type { Exchange, Scope } from './exchange/exchange.ts';
import { Crossing } from './exchange/headers.ts';
import type { HeaderRules } from './exchange/headers.ts';
import { heard, watchRequest } from './exchange/observe.ts';
import type { Observer } from './exchange/observe.ts';
import { refuse } from './exchange/refuse.ts';
import type { CommentTexts } from './openapi/comments.ts';
import { Pages } from './openapi/pages.ts';
import { RouteTable } from './exchange/route.ts';
import type { Match } from './exchange/route.ts';
import { sendLines } from './exchange/send-lines.ts';
import { HttpError, httpStatusOf, statusJson } from './exchange/http-status.ts';
import { StreamExchange } from './exchange/stream.ts';
import { UnaryExchange } from './exchange/unary.ts';
import type { Upstreams } from './transport/upstreams.ts';
import { createWebSockets } from './exchange/websocket.ts';

export interface GatewayOptions {
  /** What is served. */
  readonly bindings: readonly Binding[];
  readonly upstreams: Upstreams;
  /** The types that may stand in a google.protobuf.Any. */
  readonly registry: Registry;
  readonly timeouts: Timeouts;
  readonly body: BodyLimits;
  /** How long a stream may stand still before it is ended. Milliseconds. */
  readonly streamIdleMs: number;
  /** Most requests in flight, streams and WebSockets among them; more are answered 503, and half as many of one client 429. */
  readonly maxRequests: number;
  /** Most streams open; more are answered 503, and half as many of one client 429. */
  readonly maxStreams: number;
  /**
   * Most bytes that wait in here; more are refused with 503, and half as many of one client with 429.
   * @default - an eighth of the memory that the container or the machine has
   */
  readonly maxBytes?: number;
  /** Who is one client. @default - an address of a peer */
  readonly clients?: ClientRules;
  readonly headers: HeaderRules;
  /** Origins, besides its own, of pages that may open a WebSocket, such as `https://shop.example`. */
  readonly webSocketOrigins: readonly string[];
  /** What `/openapi.json` and `/docs` tell of. @default - every method that is served */
  readonly described?: ReadonlySet<DescMethod> | undefined;
  /** What these pages say of declarations, by fully qualified name. @default - nothing */
  readonly comments?: CommentTexts;
  readonly log: Logger;
  /** Learns of every request that is over. @default - nobody does */
  readonly observer?: Observer;
}

/** Answers requests of HTTP by calls of gRPC. */
export interface Gateway {
  /** Never throws. */
  handle(request: IncomingMessage, response: ServerResponse): void;
  /** Whether a handshake of WebSocket is for a streaming method; what is not is answered as if it asked for nothing. */
  takesUpgrade(request: IncomingMessage): boolean;
  /** Answers a handshake of WebSocket, on a connection that is HTTP's no more. Never throws. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** What is open now. */
  readonly open: { requests(): number; streams(): number; bytes(): number };
  /** Tells every open stream to end: UNAVAILABLE, which asks the client to call again. */
  stopStreams(): void;
}

/**
 * Translates HTTP and JSON to gRPC by the google.api.http options of the services' descriptors, which it describes at
 * `/openapi.json` and `/docs`.
 * @throws Error when one of two bindings is equal to the other
 */
export function createGateway(options: GatewayOptions): Gateway {
  const { bindings, upstreams, registry, log, clients = peers } = options;
  const observer = heard(options.observer ?? nobody, log);
  const table = new RouteTable(bindings, upstreams, registry);
  const pages = new Pages({
    bindings: bindings.filter(({ method }) => options.described?.has(method) ?? true),
    comments: options.comments ?? {},
    bearer: options.headers.claims.length > 0,
  });
  const scope: Scope = {
    registry,
    crossing: new Crossing(options.headers),
    timeouts: options.timeouts,
    body: options.body,
    streamIdleMs: options.streamIdleMs,
    log,
    streams: new Set(),
  };
  const webSockets = createWebSockets(scope, options.webSocketOrigins, observer);
  const budget = new Budget({
    bytes: options.maxBytes ?? memoryBudget(),
    calls: options.maxRequests,
    streams: options.maxStreams,
  });

  const start = (exchange: Exchange, { route }: Match) => {
    const { request, response, account } = exchange;
    exchange.negotiate();
    if (exchange.answersAtOnce()) return;
    if (route.manyIn || route.manyOut) exchange.watch();
    if (route.manyIn) sendLines(exchange, scope.body.bytes);
    else if (route.binding.body.kind === 'none') exchange.sendOne(undefined);
    else {
      readBody(request, response, scope.body, account, {
        done: (body) => {
          alone(exchange, () => {
            exchange.sendOne(body);
          });
        },
        failed: (error) => {
          failWith(exchange, error);
        },
      });
    }
  };

  return {
    handle: (request, response) => {
      let exchange: Exchange | undefined;
      let account: Account | undefined;
      const done = watchRequest(request, observer);
      const page = pages.find(request.url ?? '');
      let code: status | undefined;
      response.on('close', () => {
        account?.close();
        exchange?.closed();
        done(response, page?.path ?? exchange?.match.route.template, exchange?.code ?? code);
      });
      try {
        account = budget.open(clientOf(request, clients));
        if (page !== undefined) {
          page.answer(request, response);
          return;
        }
        const matched = table.find(request);
        if ('allow' in matched) {
          response.writeHead(204, matched.allow === undefined ? {} : { allow: matched.allow }).end();
          return;
        }
        const Kind = matched.route.manyOut ? StreamExchange : UnaryExchange;
        exchange = new Kind(request, response, matched, scope, account);
        start(exchange, matched);
      } catch (thrown) {
        if (exchange !== undefined) {
          exchange.fail(thrown);
          return;
        }
        const error = knownError(thrown, log);
        code = error.code;
        const headers = {
          ...leftoverOf(request),
          ...(error instanceof HttpError ? error.headers : {}),
        };
        sendJson(response, httpStatusOf(error), headers, statusJson(error, registry));
      }
    },
    takesUpgrade: (request) => {
      try {
        return (
          request.method === 'GET' &&
          request.headers.upgrade?.toLowerCase() === 'websocket' &&
          table.findStream(request) !== undefined
        );
      } catch {
        return false; // its path is malformed: the answer says so
      }
    },
    upgrade: (request, socket, head) => {
      try {
        const matched = table.findStream(request);
        if (matched === undefined) throw statusError(status.NOT_FOUND, 'path: nothing is served here');
        webSockets.accept(request, socket, head, matched, budget.open(clientOf(request, clients)));
      } catch (thrown) {
        const error = knownError(thrown, log);
        const headers = error instanceof HttpError ? error.headers : {};
        refuse(socket, new HttpError(httpStatusOf(error), error.code, error.message, headers));
      }
    },
    open: {
      requests: () => budget.held.calls,
      streams: () => budget.held.streams,
      bytes: () => budget.held.bytes,
    },
    stopStreams: () => {
      for (const stream of [...scope.streams]) stream.stop();
    },
  };
}

const peers: ClientRules = { subject: undefined, proxies: 0 };
const nobody: Observer = () => undefined;
