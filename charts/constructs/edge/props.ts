import { keysOf } from '../../../core/keys.ts';
import type { RateLimit } from '../rate-limits/rate-limit.ts';
import type { WorkloadTracing } from '../scope/tracing.ts';
import type { Cors } from './cors.ts';
import type { Exposed } from './expose.ts';
import type { Jwt } from './jwt.ts';
import type { EdgeProtocol } from './protocols.ts';
import type { Tls } from './tls.ts';

/** Properties of an `HttpEdge`. */
export interface HttpEdgeProps<C extends string> {
  /**
   * Methods that are served by their google.api.http paths, services for all of theirs, and routes of services over plain HTTP, whose
   * requests go from the ingress gateways to the service itself. Nothing else is let in.
   */
  readonly expose: readonly Exposed<C>[];
  /**
   * How it is called: `rest` over HTTP with JSON, `grpc` by native gRPC clients, over TLS or, without `tls`, HTTP/2 in plaintext (h2c).
   * Their calls go from the ingress gateways to the service itself, by the same hosts, tokens and limits. With `grpc`, a method
   * without a google.api.http path can be named in `expose`; it is for native clients only. @default ['rest']
   */
  readonly protocols?: readonly EdgeProtocol[];
  /** Hosts it answers for: DNS names, or `'*'` for all that no other edge has. @default ['*'] */
  readonly hosts?: readonly string[];
  /** Whose tokens callers need. @default - none is asked for */
  readonly jwt?: Jwt<C>;
  /** How many requests each ingress gateway lets through. @default - no limit */
  readonly rateLimits?: readonly RateLimit<C>[];
  /** What browsers may do from other origins. @default - nothing */
  readonly cors?: Cors;
  /** Whether everybody may read what it exposes at `/openapi.json` and `/docs`, without a token. @default false */
  readonly openapi?: boolean;
  /** @default - plain HTTP on port 80 */
  readonly tls?: Tls;
  /** Clusters its pods run in. @default - every cluster of the mesh */
  readonly placement?: readonly NoInfer<C>[];
  /** Its share of traces. @default - the mesh's */
  readonly tracing?: WorkloadTracing;
  /** Folder of the gateway app. @default apps/gateway */
  readonly app?: string;
}

/** Their keys. */
export const propKeys = keysOf<HttpEdgeProps<string>>({
  expose: true,
  protocols: true,
  hosts: true,
  jwt: true,
  rateLimits: true,
  cors: true,
  openapi: true,
  tls: true,
  placement: true,
  tracing: true,
  app: true,
});
