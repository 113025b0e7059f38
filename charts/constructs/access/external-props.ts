import { keysOf } from '../../../core/keys.ts';
import { keysIn } from '../scope/keys-in.ts';

/** What callers of a host outside the mesh speak. */
export type ExternalProtocol = 'GRPC' | 'HTTP' | 'TCP' | 'TLS';

/** Every {@link ExternalProtocol}. */
export const externalProtocols: readonly string[] = ['GRPC', 'HTTP', 'TCP', 'TLS'];

/** A port of a host outside the mesh, by its number. */
interface NumberedPort {
  /** TCP port that callers connect to. */
  readonly port: number;
  /** TCP port that the host listens on, where callers use another one, as with HTTP on 80 that goes on as HTTPS. @default - `port` */
  readonly targetPort?: number;
}

/**
 * Calls that the caller encrypts by itself (HTTPS, gRPC over TLS), which its proxy tells apart by their SNI. Whether the server is who it says is
 * for the caller to check.
 */
export interface CallerEncrypted extends NumberedPort {
  /** Always TLS. */
  readonly protocol: 'TLS';
  readonly tls?: never;
  readonly plaintext?: never;
}

/** Calls that the caller sends in plaintext to its own proxy, which encrypts them (TLS origination) and checks the server. */
export interface ProxyEncrypted extends NumberedPort {
  /** GRPC or HTTP, of which the proxy sees each call; TCP for what else there is. */
  readonly protocol: 'GRPC' | 'HTTP' | 'TCP';
  /** How the proxy encrypts, and whom it takes for the server. */
  readonly tls: ExternalTls;
  readonly plaintext?: never;
}

/** Calls that leave the pod as the caller sends them. */
export interface InTheClear extends NumberedPort {
  /** GRPC or HTTP, of which the proxy sees each call; TCP for what else there is. */
  readonly protocol: 'GRPC' | 'HTTP' | 'TCP';
  /** Says that it is meant: nothing encrypts the calls, unless the caller does by itself within TCP, as clients of PostgreSQL and MySQL may. */
  readonly plaintext: true;
  readonly tls?: never;
}

/** A port of a host outside the mesh: what is spoken there, and who encrypts it. */
export type ExternalPortProps = CallerEncrypted | ProxyEncrypted | InTheClear;

/**
 * TLS between the caller's proxy and a host outside the mesh. The server is always checked: its certificate has to be signed by a CA, and be for
 * `serverName`. Secrets are in the namespace of each caller, of every cluster it runs in; their owner makes them. They are mounted into the proxy
 * alone, and read again when they change. Pods start once they are there.
 */
export interface ExternalTls {
  /** Name that the server's certificate is for, and that is sent as SNI. @default - `host` */
  readonly serverName?: string;
  /** Which CAs may sign it, as PEM in a Secret. @default - the public ones that the proxy's image brings */
  readonly ca?: ExternalCa;
  /** What the proxy shows as its own certificate. @default - nothing */
  readonly client?: ExternalClient;
}

/** CAs in a Secret. */
export interface ExternalCa {
  /** Name of the Secret. */
  readonly secret: string;
  /** Its key that holds their certificates. @default ca.crt */
  readonly key?: string;
}

/** A client certificate in a Secret. */
export interface ExternalClient {
  /** Name of a Secret of type kubernetes.io/tls, with the keys `tls.crt` and `tls.key`. */
  readonly secret: string;
}

/** A host outside the mesh. */
interface ExternalHost {
  /** The host name that callers use: fully qualified, one host. */
  readonly host: string;
  /**
   * IP addresses the host is at, the same from every cluster. Calls to its ports of TCP are known by them, as nothing in them names the host; without them, its
   * proxy takes every call to such a port for this host. @default - those its name resolves to
   */
  readonly addresses?: readonly string[];
}

/** Properties of an `ExternalService`: a host with one port, or with several by name. */
export type ExternalServiceProps<P extends string = string> =
  | (ExternalHost & ExternalPortProps & { readonly ports?: never })
  | (ExternalHost & {
      /** Ports by name, of 1 to 15 characters of a-z, 0-9 and inner hyphens. */
      readonly ports: Readonly<Record<P, ExternalPortProps>>;
      readonly port?: never;
      readonly targetPort?: never;
      readonly protocol?: never;
      readonly tls?: never;
      readonly plaintext?: never;
    });

/** Keys of a port. */
export const portKeys = keysOf<ExternalPortProps>({
  port: true,
  protocol: true,
  targetPort: true,
  tls: true,
  plaintext: true,
});

/** Keys of all properties. */
export const propKeys = keysOf<ExternalServiceProps>({
  host: true,
  port: true,
  protocol: true,
  addresses: true,
  ports: true,
  targetPort: true,
  tls: true,
  plaintext: true,
});

/** Keys of `tls`. */
export const tlsKeys = keysOf<ExternalTls>({ serverName: true, ca: true, client: true });
/** Keys of `tls.ca`. */
export const caKeys = keysOf<ExternalCa>({ secret: true, key: true });
/** Keys of `tls.client`. */
export const clientKeys = keysOf<ExternalClient>({ secret: true });

/** The ports as they were given, by name; of one port, its name is its protocol's. Plain JavaScript may have put anything anywhere. */
export function givenPorts(props: unknown): readonly (readonly [name: string, port: unknown])[] {
  const given = keysIn(props);
  if (given['ports'] !== undefined) return Object.entries(keysIn(given['ports']));
  const { port, protocol, targetPort, tls, plaintext } = given;
  const name = typeof protocol === 'string' ? protocol.toLowerCase() : '';
  return [[name, { port, protocol, targetPort, tls, plaintext }]];
}
