import type { DescService, Registry } from '@bufbuild/protobuf';
import { library } from '../../http-rule/testing/library.ts';
import type { CallContext, Implementation } from '../runtime/handlers.ts';
import { silent, startLocal } from './local.ts';
import { bindingsOf } from '../gateway/binding/bindings.ts';
import { createGateway } from '../gateway/gateway.ts';
import type { Gateway, GatewayOptions } from '../gateway/gateway.ts';
import { startHttpServer } from '../gateway/server.ts';
import type { HttpServerOptions, RunningHttpServer } from '../gateway/server.ts';
import { openUpstreams } from '../gateway/transport/upstreams.ts';
import type { Upstreams } from '../gateway/transport/upstreams.ts';
import { comments, registry as shopRegistry } from './shop.ts';

const cleanups: (() => Promise<unknown>)[] = [];

/** Stops everything that was started, the last first. */
export async function stopAll(): Promise<void> {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
}

export interface Options {
  readonly implementation: Implementation;
  readonly registry?: Registry;
  readonly address?: string;
  readonly timeoutMs?: number;
  readonly bodyLimit?: number;
  readonly claimHeaders?: readonly string[];
  readonly drainDelayMs?: number;
  /** Puts something before the upstreams. */
  readonly watch?: (upstreams: Upstreams) => Upstreams;
  readonly gateway?: Partial<GatewayOptions>;
  readonly server?: Partial<HttpServerOptions>;
}

/** A gateway before a real gRPC server, and its base URL. */
export async function start(
  options: Options,
): Promise<{ url: string; port: number; server: RunningHttpServer; held: Gateway['open'] }> {
  const local = await startLocal([options.implementation], { servedBy: 'here/pod-1' });
  cleanups.push(() => local.stop());
  const addresses = new Map<DescService, string>([
    [options.implementation.service, options.address ?? local.address],
  ]);
  const upstreams = (options.watch ?? ((each) => each))(openUpstreams(addresses));
  cleanups.push(() => {
    upstreams.close();
    return Promise.resolve();
  });
  const gateway = createGateway({
    bindings: bindingsOf(addresses.keys()),
    comments,
    upstreams,
    registry: options.registry ?? shopRegistry,
    timeouts: { defaultMs: options.timeoutMs ?? 20_000, maxMs: 25_000 },
    body: { bytes: options.bodyLimit ?? 1_000, timeoutMs: 20_000 },
    streamIdleMs: 20_000,
    maxRequests: 1_000,
    maxStreams: 100,
    maxBytes: 64 * 2 ** 20,
    headers: { claims: options.claimHeaders ?? [], answers: [] },
    webSocketOrigins: [],
    log: silent,
    ...options.gateway,
  });
  const server = await startHttpServer({
    gateway,
    host: '127.0.0.1',
    port: 0,
    log: silent,
    maxConnections: 1_000,
    headersTimeoutMs: 20_000,
    drainDelayMs: options.drainDelayMs ?? 0,
    drainLimitMs: 1_000,
    ...options.server,
  });
  cleanups.push(() => server.drain());
  return { url: `http://127.0.0.1:${server.port}`, port: server.port, server, held: gateway.open };
}

type Echo = (book: never, context: CallContext) => unknown;

/** test.Library over the given options, each method answered by the handler: with its request unless given. */
export function echo(rules: Parameters<typeof library>[0], handler: Echo = (book) => book) {
  const { service, registry } = library(rules);
  const handlers = Object.fromEntries(service.methods.map((method) => [method.localName, handler]));
  return { implementation: { service, handlers }, registry };
}

export async function call(url: string, init: RequestInit = {}) {
  const response = await fetch(url, init);
  return { status: response.status, headers: response.headers, body: await response.json() };
}

export const json = (value: unknown): RequestInit => ({
  method: 'POST',
  headers: { 'content-type': 'application/json; charset=utf-8' },
  body: JSON.stringify(value),
});
