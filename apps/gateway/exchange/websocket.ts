import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { status } from '@grpc/grpc-js';
import { WebSocketServer } from 'ws';
import { deadlineOf } from './deadline.ts';
import { knownError } from './errors.ts';
import type { Scope } from './exchange.ts';
import { watchRequest } from './observe.ts';
import type { Observer } from './observe.ts';
import { refuse } from './refuse.ts';
import type { Match } from './route.ts';
import { SocketExchange } from './socket-exchange.ts';
import { HttpError, httpStatusOf } from './http-status.ts';

/** The name of what is spoken: JSON of one gRPC message in each text message, an empty one for the end. */
export const subprotocol = 'grpc-json.v1';

/** Takes handshakes of WebSocket for streaming calls. */
export interface WebSockets {
  /** @param match - the streaming method asked for */
  accept(request: IncomingMessage, socket: Duplex, head: Buffer, match: Match): void;
}

/**
 * Serves streaming calls over WebSocket. A page of another origin is refused unless its origin is in the list: a
 * browser asks nobody before it opens a WebSocket.
 * Source: RFC 6455; its section 10.2 for origins.
 * @param origins - origins of pages that may call, such as `https://shop.example`
 */
export function createWebSockets(scope: Scope, origins: readonly string[], observer: Observer): WebSockets {
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload: scope.body.bytes,
    // Memory per connection, for little gain on short messages.
    perMessageDeflate: false,
    handleProtocols: (offered) => (offered.has(subprotocol) ? subprotocol : false),
  });
  return {
    accept: (request, socket, head, match) => {
      try {
        checkOrigin(request, origins);
        const metadata = scope.crossing.metadataOf(request);
        const deadline = deadlineOf(request.headers, true, scope.timeouts);
        server.handleUpgrade(request, socket, head, (opened) => {
          const exchange = new SocketExchange(opened, match, scope);
          const done = watchRequest(request, observer);
          opened.once('close', () => {
            done(undefined, match.route.template, exchange.code);
          });
          exchange.start({ metadata, deadline });
        });
      } catch (thrown) {
        const error = knownError(thrown, scope.log);
        refuse(socket, new HttpError(httpStatusOf(error), error.code, error.message));
      }
    },
  };
}

function checkOrigin({ headers }: IncomingMessage, allowed: readonly string[]): void {
  const { origin, host } = headers;
  // Only browsers say it, and always.
  if (origin === undefined || allowed.includes(origin)) return;
  if (URL.canParse(origin) && new URL(origin).host === host) return;
  throw new HttpError(403, status.PERMISSION_DENIED, `origin: ${JSON.stringify(origin)} may not call here`);
}
