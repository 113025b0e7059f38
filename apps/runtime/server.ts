import { setTimeout as sleep } from 'node:timers/promises';
import { Server, ServerCredentials, status } from '@grpc/grpc-js';
import './grpc/mended.ts';
import { register } from './server/adapter.ts';
import type { Implementation } from './handlers.ts';
import { createHealth } from './server/health.ts';
import type { Interceptor } from './server/interceptors.ts';
import type { Logger } from './log.ts';
import { logCalls } from './server/logging.ts';
import { createReflection } from './server/reflection.ts';
import { defaultLimits, limitCalls } from './server/limits.ts';
import type { ServerLimits } from './server/limits.ts';
import { statusError } from './status.ts';
import { validateRequests } from './server/validation.ts';

export interface ServerOptions {
  readonly implementations: readonly Implementation[];
  /** Address to listen on. @default '0.0.0.0' */
  readonly host?: string;
  /** TCP port; 0 for any free port. */
  readonly port: number;
  /** Value of the metadata `x-served-by`: `<cluster>/<pod>`. */
  readonly servedBy: string;
  readonly log: Logger;
  /**
   * Maximum age of connections, plus or minus a tenth. Older ones are closed without failing a call: they accept no new
   * calls, and calls in flight finish. Callers without a mesh then find other replicas. In a mesh the connection is that
   * of the proxy beside the server, and the mesh does the balancing. Milliseconds. @default - no maximum
   */
  readonly maxConnectionAgeMs?: number;
  /** What it takes at most. @default - see {@link ServerLimits} */
  readonly limits?: Partial<ServerLimits>;
  /** Interceptors of every call, between logging and validation. @default - none */
  readonly interceptors?: readonly Interceptor[];
  /** How long a stopping server still accepts calls. Milliseconds. */
  readonly drainDelayMs: number;
  /** How long calls in flight may take after that. Milliseconds. */
  readonly drainLimitMs: number;
}

export interface RunningServer {
  readonly port: number;
  /**
   * Stops without failing a call: health reports NOT_SERVING at once; calls are accepted for the drain delay, because
   * callers learn of the stop late; then no more are accepted, streams of answers end with UNAVAILABLE, and calls in flight
   * finish within the limit. Resolves when everything is closed.
   * @returns whether every call finished by itself
   */
  drain(): Promise<boolean>;
}

/** A caller that vanished without closing its connection is detected, and its streams end, within 80 s. */
const keepalive = { 'grpc.keepalive_time_ms': 60_000, 'grpc.keepalive_timeout_ms': 20_000 } as const;

/**
 * Starts a gRPC server with the health and reflection services, without TLS: in the mesh the proxy beside it encrypts.
 * Every answer has `x-served-by` in its initial metadata, including errors; only answers that grpc-js sends before any
 * handler runs (an unknown method, a request it cannot parse, a deadline that passed) do not have it.
 * @throws Error when it cannot listen on the address
 */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { implementations, host = '0.0.0.0', servedBy, log } = options;
  const health = createHealth(implementations.map(({ service }) => service.typeName));
  const stopping = new AbortController();
  const interceptors = [logCalls(log), ...(options.interceptors ?? []), validateRequests()];
  const limits = { ...defaultLimits(options.limits?.heldBytes), ...options.limits };
  const server = new Server({
    ...keepalive,
    'grpc.max_receive_message_length': limits.requestBytes,
    'grpc.max_concurrent_streams': limits.calls,
    interceptors: [limitCalls(limits, log)],
    ...(options.maxConnectionAgeMs === undefined
      ? {}
      : { 'grpc.max_connection_age_ms': options.maxConnectionAgeMs }),
  });
  const served = [health.implementation, ...implementations];
  const reflection = createReflection(served.map(({ service }) => service));
  for (const implementation of [...served, ...reflection]) {
    register(server, implementation, { servedBy, log, stopping: stopping.signal, interceptors, limits });
  }
  const port = await listen(server, `${host}:${options.port}`);
  log.info({ port }, 'serving gRPC');
  return {
    port,
    drain: async () => {
      health.stopServing();
      log.info({ delayMs: options.drainDelayMs }, 'draining');
      await sleep(options.drainDelayMs);
      stopping.abort(statusError(status.UNAVAILABLE, 'the server is stopping; call again'));
      const finished = await shutDown(server, options.drainLimitMs);
      log.info({ finished }, finished ? 'drained' : 'drained, but some calls were cut off');
      return finished;
    },
  };
}

function listen(server: Server, address: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(address, ServerCredentials.createInsecure(), (error, port) => {
      if (error === null) resolve(port);
      else reject(new Error(`cannot listen on ${address}: ${error.message}`));
    });
  });
}

function shutDown(server: Server, limitMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const limit = setTimeout(() => {
      server.forceShutdown();
      resolve(false);
    }, limitMs);
    server.tryShutdown(() => {
      clearTimeout(limit);
      resolve(true);
    });
  });
}
