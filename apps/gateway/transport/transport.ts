import { status } from '@grpc/grpc-js';
import { ClientCall } from './call.ts';
import type { CallOwner } from './call.ts';
import { Connection } from './connection.ts';
import type { ConnectionOwner } from './connection.ts';
import { metadataProblem } from './metadata.ts';
import { localStatus } from './call-status.ts';
import type { Call, CallListener, CallOptions, CallStatus, Transport } from './types.ts';

export interface TransportOptions {
  /** Longest message received; a longer one ends its call with RESOURCE_EXHAUSTED. Bytes. @default 4194304 */
  readonly messageLimit?: number;
  /** For a connection to be ready. Milliseconds. @default 5000 */
  readonly connectTimeoutMs?: number;
  /**
   * A PING is sent when calls are in flight and nothing has come for this long, up to twice as long. Milliseconds.
   * Servers may end the connection of a client that sends PINGs more often than they like: every 5 minutes is what
   * gRPC servers allow by themselves.
   * @default 300000
   */
  readonly keepaliveMs?: number;
  /** How long the answer to a PING may take. Milliseconds. @default 10000 */
  readonly keepaliveTimeoutMs?: number;
}

/** Source: grpc/doc/connection-backoff.md, but for the first and longest wait, which suit a mesh. Milliseconds. */
const backoff = { first: 200, most: 5_000, factor: 1.6, jitter: 0.2 } as const;

/** One connection serves a mesh's sidecar; more are for peers that allow few streams on each. */
const mostConnections = 8;

/**
 * A gRPC client for `host:port` over HTTP/2 without TLS, which is the mesh's part. It connects at the first call, and
 * never retries what a service may have seen: retries are left to the mesh.
 * Source: grpc/doc/PROTOCOL-HTTP2.md.
 */
export function createTransport(address: string, options: TransportOptions = {}): Transport {
  return new HttpTransport(address, options);
}

class HttpTransport implements Transport, CallOwner, ConnectionOwner {
  readonly #address: string;
  readonly #messageLimit: number;
  readonly #connectTimeoutMs: number;
  readonly #keepaliveTimeoutMs: number;
  #keepaliveMs: number;
  readonly #constantHeaders: readonly string[];
  #calls = 0;
  /** In the order they came, served in that order; empty as a rule, see bag.ts. */
  readonly #waiting = new Set<ClientCall>();
  /** Those that take calls, or will. */
  readonly #connections = new Set<Connection>();
  /** Those that do not, until their calls have ended. */
  readonly #leaving = new Set<Connection>();
  #backoffMs = 0;
  #backoffUntil = 0;
  #problem = '';
  #state: 'open' | 'draining' | 'closed' = 'open';
  #drained: (() => void)[] = [];
  /** Who waits for the connection that is being made. */
  #connected: ((problem: string | undefined) => void)[] = [];

  constructor(address: string, options: TransportOptions) {
    this.#address = address;
    this.#messageLimit = options.messageLimit ?? 4 * 2 ** 20;
    this.#connectTimeoutMs = options.connectTimeoutMs ?? 5_000;
    this.#keepaliveMs = options.keepaliveMs ?? 300_000;
    this.#keepaliveTimeoutMs = options.keepaliveTimeoutMs ?? 10_000;
    // Pseudo-headers come first; te is what proxies that know no trailers are found by.
    this.#constantHeaders = [
      ...[':method', 'POST', ':scheme', 'http', ':authority', address],
      ...['te', 'trailers', 'content-type', 'application/grpc', 'user-agent', 'grpc-node-meshwright/0.1.0'],
      ...['grpc-accept-encoding', 'identity'],
    ];
  }

  call(path: string, options: CallOptions, listener: CallListener): Call {
    const headers = [':path', path, ...this.#constantHeaders];
    for (const [name, value] of options.metadata) headers.push(name, value);
    const call = new ClientCall(this, headers, options.deadline, listener, this.#messageLimit);
    this.#calls += 1;
    const refusal = this.#refusal(path, options);
    if (refusal === undefined) this.place(call);
    else process.nextTick(finish, call, refusal);
    return call;
  }

  connect(): Promise<string | undefined> {
    for (const { connecting } of this.#connections) if (!connecting) return Promise.resolve(undefined);
    if (this.#state === 'open') this.#connect();
    if (this.#connections.size === 0) return Promise.resolve(this.#whyNone());
    return new Promise((resolve) => this.#connected.push(resolve));
  }

  drain(): Promise<void> {
    if (this.#state === 'open') this.#state = 'draining';
    return new Promise((resolve) => {
      this.#drained.push(resolve);
      if (this.#calls === 0) this.close();
    });
  }

  close(): void {
    this.#state = 'closed';
    for (const call of [...this.#waiting]) call.finish(closed);
    for (const connection of [...this.#connections, ...this.#leaving]) connection.close(closed);
    for (const resolve of this.#drained.splice(0)) resolve();
  }

  place(call: ClientCall): void {
    if (this.#state === 'closed') {
      call.finish(closed);
      return;
    }
    for (const connection of this.#connections) {
      if (connection.hasRoom) {
        call.attach(connection);
        return;
      }
    }
    this.#waiting.add(call);
    this.#connect();
  }

  ended(call: ClientCall): void {
    this.#waiting.delete(call);
    this.#calls -= 1;
    if (this.#state === 'draining' && this.#calls === 0) this.close();
  }

  room(connection: Connection): void {
    this.#backoffMs = 0;
    this.#backoffUntil = 0;
    for (const resolve of this.#connected.splice(0)) resolve(undefined);
    for (const call of this.#waiting) {
      if (!connection.hasRoom) break;
      this.#waiting.delete(call);
      call.attach(connection);
    }
    if (this.#waiting.size > 0) this.#connect();
  }

  gone(connection: Connection, failure: string | undefined): void {
    this.#connections.delete(connection);
    this.#leaving.add(connection);
    if (failure !== undefined && this.#state !== 'closed') {
      this.#problem = failure;
      this.#backoffMs = Math.min(
        this.#backoffMs === 0 ? backoff.first : this.#backoffMs * backoff.factor,
        backoff.most,
      );
      const jitter = 1 + backoff.jitter * (2 * Math.random() - 1);
      this.#backoffUntil = performance.now() + this.#backoffMs * jitter;
    }
    if (this.#connections.size === 0) {
      for (const resolve of this.#connected.splice(0)) resolve(this.#whyNone());
    }
    if (this.#waiting.size > 0) this.#connect();
  }

  closed(connection: Connection): void {
    this.#leaving.delete(connection);
  }

  tooManyPings(): void {
    this.#keepaliveMs *= 2;
  }

  /** Makes one more connection for the calls that wait, or ends them when there is none to wait for. */
  #connect(): void {
    for (const { connecting } of this.#connections) if (connecting) return;
    if (performance.now() < this.#backoffUntil) {
      if (this.#connections.size > 0) return;
      const message = this.#whyNone();
      // Not at once: a call must not end before its caller has it.
      for (const call of this.#waiting)
        process.nextTick(finish, call, localStatus(status.UNAVAILABLE, message));
      this.#waiting.clear();
    } else if (this.#connections.size < mostConnections) {
      this.#connections.add(
        new Connection(
          {
            address: this.#address,
            connectTimeoutMs: this.#connectTimeoutMs,
            keepaliveMs: this.#keepaliveMs,
            keepaliveTimeoutMs: this.#keepaliveTimeoutMs,
          },
          this,
        ),
      );
    }
  }

  #whyNone(): string {
    const problem = this.#state === 'open' ? this.#problem : 'the transport was closed';
    return `no connection to ${this.#address}: ${problem}`;
  }

  #refusal(path: string, { metadata, deadline }: CallOptions): CallStatus | undefined {
    if (this.#state !== 'open') return localStatus(status.UNAVAILABLE, 'the transport takes no new calls');
    if (!/^\/[^/]+\/[^/]+$/.test(path)) {
      return localStatus(status.INTERNAL, `path: ${JSON.stringify(path)} is not a /pkg.Service/Method`);
    }
    const problem = metadataProblem(metadata);
    if (problem !== undefined) return localStatus(status.INTERNAL, problem);
    if (deadline <= Date.now()) return localStatus(status.DEADLINE_EXCEEDED, 'the deadline was exceeded');
    return undefined;
  }
}

const closed = localStatus(status.UNAVAILABLE, 'the transport was closed');

function finish(call: ClientCall, result: CallStatus): void {
  call.finish(result);
}
