import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import type { Logger } from '../runtime/log.ts';
import type { Drainable } from '../runtime/run.ts';
import { Bag } from './transport/bag.ts';
import type { Placed } from './transport/bag.ts';
import type { Gateway } from './gateway.ts';
import { sendJson } from './exchange/exchange.ts';
import { unsound } from './exchange/guard/sound.ts';
import { HttpError, statusJson } from './exchange/http-status.ts';
import { noTypes, refuse, refuseUnread } from './exchange/refuse.ts';

export interface HttpServerOptions {
  readonly gateway: Gateway;
  /** Address to listen on. @default '0.0.0.0' */
  readonly host?: string;
  /** TCP port; 0 takes a free one. */
  readonly port: number;
  readonly log: Logger;
  /** Most connections; more are closed at once. */
  readonly maxConnections: number;
  /** How long a client may take to send the head of a request. Milliseconds. */
  readonly headersTimeoutMs: number;
  /** How long a stopping server still takes requests. Milliseconds. */
  readonly drainDelayMs: number;
  /** How long requests in flight may take after that. Milliseconds. */
  readonly drainLimitMs: number;
}

export interface RunningHttpServer extends Drainable {
  readonly port: number;
  /**
   * Stops without failing a request: `/readyz` says 503 at once and connections close after their next response;
   * requests are taken for the drain delay; those in flight then finish within the limit. Streams that have not ended
   * by themselves shortly before it are told to.
   * @returns whether every request finished by itself
   */
  drain(): Promise<boolean>;
}

interface OpenResponse extends Placed {
  readonly response: ServerResponse;
}

/**
 * An idle connection outlives those of the Envoy before it (10 s in the mesh, an hour unless told), so that Envoy, not this
 * server, ends it: a server that ends an idle connection loses the request that is on its way.
 */
const keepAliveMs = 3_660_000;

/** A connection of a request on which nothing moves for so long is closed; streams have a limit of their own. */
const stillMs = 120_000;

/** Request line and headers together. Bytes. */
const headerLimit = 16_384;

/** How long streams have to end once they are told to, before they are cut. Milliseconds. */
const streamEndMs = 2_000;

/**
 * Serves a gateway over HTTP/1.1, with `/healthz` (the process lives) and `/readyz` (it takes requests). Whether the
 * services behind it answer is not asked: a gateway that has lost one still serves the others, and answers for that
 * one with 503 itself.
 * @throws Error when the address cannot be listened on
 */
export async function startHttpServer(options: HttpServerOptions): Promise<RunningHttpServer> {
  const { gateway, host = '0.0.0.0', log } = options;
  let draining = false;
  let closing = false;
  const open = new Bag<OpenResponse>();
  const answer = (request: IncomingMessage, response: ServerResponse) => {
    if (request.socket.timeout === keepAliveMs) request.socket.setTimeout(stillMs);
    const entry = { response, place: -1 };
    open.add(entry);
    response.on('error', ignore);
    response.on('close', () => {
      open.delete(entry);
      // A stream's headers, sent before the stop, kept its connection open. While requests are still taken nothing idle is
      // ended: one may be on its way.
      if (closing)
        setImmediate(() => {
          server.closeIdleConnections();
        });
    });
    if (draining) closeAfter(response);
    const problem = unsound(request);
    const probe = problem === undefined ? probeOf(request) : undefined;
    if (problem !== undefined) sendProblem(response, problem);
    else if (probe === '/healthz') sendText(response, 200, 'ok');
    else if (probe === '/readyz') sendText(response, draining ? 503 : 200, draining ? 'draining' : 'ok');
    else gateway.handle(request, response);
  };
  const handle = (request: IncomingMessage, response: ServerResponse) => {
    try {
      answer(request, response);
    } catch (error) {
      log.error({ err: error }, 'request dropped');
      response.destroy();
    }
  };
  const server = createServer(
    {
      maxHeaderSize: headerLimit,
      // The server's own refusal has no body.
      requireHostHeader: false,
      headersTimeout: options.headersTimeoutMs,
      // Bodies have their own limit, as streams of them may go on for long.
      requestTimeout: 0,
      connectionsCheckingInterval: Math.min(1_000, options.headersTimeoutMs),
      keepAliveTimeout: keepAliveMs,
      keepAlive: true,
      keepAliveInitialDelay: 60_000,
      // A request to change to another protocol, h2c for one, is answered as if it had not asked (RFC 9110, 7.8).
      shouldUpgradeCallback: (request) => gateway.takesUpgrade(request),
    },
    handle,
  );
  // The client gets its 100 when the body is about to be read, and not before one that is refused.
  server.on('checkContinue', handle);
  // Answered 417: the server's own refusal has no body.
  server.on('checkExpectation', handle);
  // RFC 9110, section 9.3.6: this is no proxy, and no resource here has the method.
  server.on('connect', (_: IncomingMessage, socket: Duplex) => {
    socket.on('error', () => socket.destroy());
    const message = 'method: CONNECT received; no path allows it';
    refuse(socket, new HttpError(405, status.UNIMPLEMENTED, message, { allow: '' }));
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (isUnused(error, socket)) {
      socket.setTimeout(keepAliveMs);
      return;
    }
    const inAnswer = open.list().some(({ response }) => response.socket === socket && response.headersSent);
    if (inAnswer || !socket.writable) socket.destroy();
    else refuseUnread(socket, error);
  });
  // These are the server's no more: it neither counts nor ends them.
  const upgraded = new Set<Duplex>();
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    upgraded.add(socket);
    socket.once('close', () => upgraded.delete(socket));
    socket.on('error', () => socket.destroy());
    const problem = unsound(request);
    if (problem === undefined) gateway.upgrade(request, socket, head);
    else refuse(socket, problem);
  });
  server.maxConnections = options.maxConnections;
  server.timeout = stillMs;
  const port = await listen(server, host, options.port);
  log.info({ port }, 'serving HTTP');
  return {
    port,
    drain: async () => {
      draining = true;
      for (const { response } of open.list()) closeAfter(response);
      log.info({ delayMs: options.drainDelayMs }, 'draining');
      await sleep(options.drainDelayMs);
      closing = true;
      const streamsEnd = setTimeout(
        () => {
          gateway.stopStreams();
        },
        Math.max(options.drainLimitMs / 2, options.drainLimitMs - streamEndMs),
      );
      const finished = await shutDown(server, upgraded, options.drainLimitMs);
      clearTimeout(streamsEnd);
      log.info({ finished }, finished ? 'drained' : 'drained, but some requests were cut off');
      return finished;
    },
  };
}

/** What is written to a connection that has broken off is lost, as its end says. */
function ignore(): void {
  return;
}

/**
 * Whether the time for a head is up on a connection that has sent nothing: it is as idle as one between two requests. Envoy opens
 * one more than it needs when calls wait, and may send its first request just when a refusal of nothing is on its way: it
 * would take that for the answer.
 */
function isUnused({ code }: NodeJS.ErrnoException, socket: Duplex): socket is Socket {
  return code === 'ERR_HTTP_REQUEST_TIMEOUT' && socket instanceof Socket && socket.bytesRead === 0;
}

/** Ends the connection after this response, as HTTP/1.1 says it. */
function closeAfter(response: ServerResponse): void {
  if (!response.headersSent) response.setHeader('connection', 'close');
}

/** The path of a request for what the server itself says, in whatever form it is. */
function probeOf({ url = '' }: IncomingMessage): string | undefined {
  return /^(?:[hH][tT]{2}[pP][sS]?:\/\/[^/?#]*)?(\/(?:healthz|readyz))(?:\?|$)/.exec(url)?.[1];
}

function sendProblem(response: ServerResponse, error: HttpError): void {
  sendJson(response, error.httpStatus, error.headers, statusJson(error, noTypes));
}

function sendText(response: ServerResponse, httpStatus: number, text: string): void {
  response.writeHead(httpStatus, { 'content-type': 'text/plain' }).end(`${text}\n`);
}

function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      reject(new Error(`cannot listen on ${host}:${port}: ${error.message}`));
    });
    server.listen(port, host, () => {
      resolve((server.address() as AddressInfo).port);
    });
  });
}

function shutDown(server: Server, upgraded: ReadonlySet<Duplex>, limitMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    let finished = true;
    const limit = setTimeout(() => {
      finished = false;
      server.closeAllConnections();
      for (const socket of upgraded) socket.destroy();
    }, limitMs);
    // Ends idle connections too.
    server.close(() => {
      clearTimeout(limit);
      resolve(finished);
    });
  });
}
