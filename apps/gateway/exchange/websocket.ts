import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { status } from '@grpc/grpc-js';
import { WebSocketServer } from 'ws';
import type { Account } from './budget/account.ts';
import { alone } from './guard/alone.ts';
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
  /**
   * @param match - the streaming method asked for
   * @param account - open; it is closed with the socket
   */
  accept(request: IncomingMessage, socket: Duplex, head: Buffer, match: Match, account: Account): void;
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
    // Each is an object, however short it is; clients cut long messages into fragments of 4 KiB.
    maxFragments: Math.max(1_024, Math.ceil(scope.body.bytes / 4_096)),
    maxBufferedChunks: 16_384,
    handleProtocols: (offered) => (offered.has(subprotocol) ? subprotocol : false),
  });
  // The library's own answers are HTML.
  server.on('wsClientError', (_, socket, request) => {
    refuse(socket, handshakeProblem(request));
  });
  return {
    accept: (request, socket, head, match, account) => {
      socket.once('close', () => {
        account.close();
      });
      try {
        account.stream();
        checkOrigin(request, origins);
        const metadata = scope.crossing.metadataOf(request);
        const deadline = deadlineOf(request.headers, true, scope.timeouts);
        server.handleUpgrade(request, socket, head, (opened) => {
          const exchange = new SocketExchange(opened, match, scope, account);
          const done = watchRequest(request, observer);
          opened.once('close', () => {
            done(undefined, match.route.template, exchange.code);
          });
          alone(exchange, () => {
            exchange.start({ metadata, deadline }, socket);
          });
        });
      } catch (thrown) {
        const error = knownError(thrown, scope.log);
        const headers = error instanceof HttpError ? error.headers : {};
        refuse(socket, new HttpError(httpStatusOf(error), error.code, error.message, headers));
      }
    },
  };
}

/** What is wrong with a handshake. Source: RFC 6455, sections 4.2.1 and 4.4. */
function handshakeProblem({ headers }: IncomingMessage): HttpError {
  const version = headers['sec-websocket-version'];
  if (version !== '13' && version !== '8') {
    const message = `sec-websocket-version: ${JSON.stringify(version)} received; allowed 13`;
    return new HttpError(426, status.INVALID_ARGUMENT, message, {
      upgrade: 'websocket',
      'sec-websocket-version': '13',
    });
  }
  const key = headers['sec-websocket-key'];
  const what = /^[+/0-9A-Za-z]{22}==$/.test(key ?? '')
    ? 'protocol: malformed'
    : 'key: not base64 of 16 bytes';
  return new HttpError(400, status.INVALID_ARGUMENT, `sec-websocket-${what}`);
}

function checkOrigin({ headers }: IncomingMessage, allowed: readonly string[]): void {
  const { origin, host } = headers;
  // Only browsers say it, and always.
  if (origin === undefined || allowed.includes(origin)) return;
  if (URL.canParse(origin) && new URL(origin).host === host) return;
  throw new HttpError(403, status.PERMISSION_DENIED, `origin: ${JSON.stringify(origin)} may not call here`);
}
