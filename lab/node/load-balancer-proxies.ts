import { connect, createServer, type Server } from 'node:net';

/** A TCP port of an address, and the address that its connections are forwarded to. */
export interface Forwarding {
  readonly address: string;
  readonly port: number;
  readonly to: string;
}

/**
 * Forwards connections for load balancers with a host name, as some clouds do: kube-proxy accepts connections at a node only
 * for addresses that are IPs in a Service's status.
 */
export class LoadBalancerProxies {
  readonly #servers = new Map<string, Server>();
  readonly #log: (line: string) => void;

  constructor(log: (line: string) => void) {
    this.#log = log;
  }

  /** Forwards exactly these; existing connections keep their destination. */
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
          // When one half breaks, the other half is closed too.
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
