import { createServer } from 'node:http';
import type { Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../runtime/log.ts';
import type { Drainable } from '../runtime/run.ts';
import type { Gateway } from './gateway.ts';

export interface HttpServerOptions {
  readonly gateway: Gateway;
  /** Address to listen on. @default '0.0.0.0' */
  readonly host?: string;
  /** TCP port; 0 takes a free one. */
  readonly port: number;
  readonly log: Logger;
  /** How long a stopping server still takes requests. Milliseconds. */
  readonly drainDelayMs: number;
  /** How long requests in flight may take after that. Milliseconds. */
  readonly drainLimitMs: number;
}

export interface RunningHttpServer extends Drainable {
  readonly port: number;
  /**
   * Stops without failing a request: `/readyz` says 503 at once and connections close after their next response;
   * requests are taken for the drain delay; those in flight then finish within the limit.
   * @returns whether every request finished by itself
   */
  drain(): Promise<boolean>;
}

/**
 * An idle connection outlives those of the Envoy before it (an hour), so that Envoy, not this server, ends it: a
 * server that ends an idle connection loses the request that is on its way.
 */
const keepAliveMs = 3_660_000;

/**
 * Serves a gateway over HTTP, with `/healthz` (the process lives) and `/readyz` (it takes requests).
 * @throws Error when the address cannot be listened on
 */
export async function startHttpServer(options: HttpServerOptions): Promise<RunningHttpServer> {
  const { gateway, host = '0.0.0.0', log } = options;
  let draining = false;
  const open = new Set<ServerResponse>();
  const server = createServer((request, response) => {
    open.add(response);
    response.once('close', () => open.delete(response));
    if (draining) closeAfter(response);
    if (request.url === '/healthz') sendText(response, 200, 'ok');
    else if (request.url === '/readyz')
      sendText(response, draining ? 503 : 200, draining ? 'draining' : 'ok');
    else void gateway(request, response);
  });
  server.keepAliveTimeout = keepAliveMs;
  server.headersTimeout = 10_000;
  server.requestTimeout = 30_000;
  const port = await listen(server, host, options.port);
  log.info({ port }, 'serving HTTP');
  return {
    port,
    drain: async () => {
      draining = true;
      for (const response of open) closeAfter(response);
      log.info({ delayMs: options.drainDelayMs }, 'draining');
      await sleep(options.drainDelayMs);
      const finished = await shutDown(server, options.drainLimitMs);
      log.info({ finished }, finished ? 'drained' : 'drained, requests were cut');
      return finished;
    },
  };
}

/** Ends the connection after this response, as HTTP/1.1 says it. */
function closeAfter(response: ServerResponse): void {
  if (!response.headersSent) response.setHeader('connection', 'close');
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

function shutDown(server: Server, limitMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    let finished = true;
    const limit = setTimeout(() => {
      finished = false;
      server.closeAllConnections();
    }, limitMs);
    // Ends idle connections too.
    server.close(() => {
      clearTimeout(limit);
      resolve(finished);
    });
  });
}
