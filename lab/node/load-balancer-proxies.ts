import { connect, createServer, type Server } from 'node:net';

/** A TCP port of an address, and where its connections go. */
export interface Forwarding {
  readonly address: string;
  readonly port: number;
  readonly to: string;
}

/**
 * Forwards connections as clouds do that give a load balancer a host name: kube-proxy lets a node take connections only for
 * addresses that a Service's status names as such.
 */
export class LoadBalancerProxies {
  readonly #servers = new Map<string, Server>();
  readonly #log: (line: string) => void;

  constructor(log: (line: string) => void) {
    this.#log = log;
  }

  /** Forwards exactly these; connections that are there already go on to where they went. */
  set(forwardings: readonly Forwarding[]): void {
    const wanted = new Map(forwardings.map((one) => [`${one.address}:${one.port} to ${one.to}`, one]));
    for (const [key, server] of this.#servers) {
      if (wanted.has(key)) continue;
      server.close();
      this.#servers.delete(key);
    }
    for (const [key, { address, port, to }] of wanted) {
      if (this.#servers.has(key)) continue;
      const server = createServer({ allowHalfOpen: true }, (from) => {
        const upstream = connect({ host: to, port, allowHalfOpen: true });
        for (const [one, other] of [
          [from, upstream],
          [upstream, from],
        ] as const) {
          one.pipe(other);
          // A connection that breaks takes its other half along.
          one.on('error', () => other.destroy());
          one.on('close', () => {
            other.destroySoon();
          });
        }
      });
      server.on('error', (error) => {
        this.#log(`cannot forward ${key}: ${error.message}`);
        this.#servers.delete(key);
      });
      server.listen(port, address);
      this.#servers.set(key, server);
    }
  }
}
