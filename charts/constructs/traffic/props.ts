import type { Method, MethodKind } from '../scope/method.ts';
import type { Outliers, Retries } from '../scope/traffic-defaults.ts';

export { retriableStatuses, type Outliers, type Retries } from '../scope/traffic-defaults.ts';

/** A gRPC status other than OK, as the specification names it (https://grpc.io/docs/guides/status-codes/). */
export type GrpcStatusName = (typeof grpcStatusNames)[number];

/** Every {@link GrpcStatusName}. */
export const grpcStatusNames = [
  'CANCELLED',
  'UNKNOWN',
  'INVALID_ARGUMENT',
  'DEADLINE_EXCEEDED',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED',
  'FAILED_PRECONDITION',
  'ABORTED',
  'OUT_OF_RANGE',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
  'UNAUTHENTICATED',
] as const;

/** What the value of a metadata key has to be: exactly this, begin with it, or match the whole RE2 expression. */
export type MetadataMatch =
  { readonly exact: string } | { readonly prefix: string } | { readonly regex: string };

/** Every name has to match. Names are lower case; those that end in `-bin` hold base64 and cannot be matched, and `content-type`, `te` and `grpc-*` belong to gRPC. */
export type Metadata = Readonly<Record<string, MetadataMatch>>;

/**
 * Ends a share of the calls at the caller's proxy, or delays it there; no server sees an ended call. Istio makes no retries of
 * calls into which it injects a fault, so that a rule has one or the other.
 */
export type Fault =
  | { readonly status: GrpcStatusName; /** From 0.0001 to 100. */ readonly percent: number }
  | { readonly delayMs: number; /** From 0.0001 to 100. */ readonly percent: number };

/** Copies of calls, whose answers are dropped (Istio, HTTPRoute mirrors). */
export interface Mirror<V extends string> {
  /** The version that gets a copy of the call. Its answer is thrown away. */
  readonly to: V;
  /** From 0.0001 to 100. @default 100 */
  readonly percent?: number;
}

interface AnyRule<V extends string> {
  /** The version the calls go to, instead of the policy's weights. */
  readonly to?: V;
  /** One, or one that ends calls and one that delays them. */
  readonly fault?: Fault | readonly Fault[];
}

interface NotForStreams {
  readonly timeoutMs?: never;
  readonly retries?: never;
  readonly mirror?: never;
}

/** Calls of a method that answers with one message to one message. */
interface UnaryRule<C extends string, V extends string> extends AnyRule<V> {
  readonly method: Method<'unary', C>;
  readonly metadata?: Metadata;
  /**
   * Limit for the whole call with its retries, in milliseconds, after which the caller gets UNAVAILABLE from its proxy. The
   * server learns of it as the call's deadline, and where it or its proxy is first to see that it passed, the caller gets
   * DEADLINE_EXCEEDED. A caller's shorter deadline holds.
   * @default - none
   */
  readonly timeoutMs?: number;
  /** Only where the proto's `idempotency_level` is NO_SIDE_EFFECTS or IDEMPOTENT. @default - none by status */
  readonly retries?: Retries;
  /** Only where the proto's `idempotency_level` is NO_SIDE_EFFECTS. @default - none */
  readonly mirror?: Mirror<V>;
}

/** Calls of any method. */
interface StreamRule<C extends string, V extends string> extends AnyRule<V>, NotForStreams {
  readonly method: Method<MethodKind, C>;
  readonly metadata?: Metadata;
}

/** Calls of all methods that carry the metadata. */
interface MetadataRule<V extends string> extends AnyRule<V>, NotForStreams {
  readonly method?: never;
  readonly metadata: Metadata;
}

/** What is done with some of a service's calls: those of a method, with certain metadata, or both. */
export type TrafficRule<C extends string, V extends string> =
  UnaryRule<C, V> | StreamRule<C, V> | MetadataRule<V>;

/**
 * Limits that a caller's proxy keeps towards the service (circuit breaking). Each proxy counts for itself, and for each
 * version by itself; what is over a limit gets UNAVAILABLE at once.
 */
export interface Connections {
  /** Calls that are open at the same time, streams included. @default - no limit */
  readonly maxRequests?: number;
  /** Calls that wait for a connection. Gateways between clusters keep it for connections, too. @default - no limit */
  readonly maxPendingRequests?: number;
  /** Calls after which a connection is replaced: its open calls end first. At most 249 for a service of an HttpEdge (ADR 37). @default 200 */
  readonly maxRequestsPerConnection?: number;
  /**
   * Time without any open call after which a connection is closed: by the caller's proxy, and by that beside the server. At most
   * 19 for a service that also has a port for HTTP/1.1: proxies close unused connections at an age of 20 (ADR 17).
   * @default - 10 for a service that also has a port for HTTP/1.1, otherwise an hour (Envoy's)
   */
  readonly idleTimeoutSeconds?: number;
}

/** Properties of a TrafficPolicy. */
export interface TrafficPolicyProps<C extends string, V extends string> {
  /**
   * Where calls made in a cluster go when it has no healthy endpoint: the clusters in order of preference. Istio ranks
   * regions: the caller's own comes first, then the first other one given, then all others alike; clusters of one region
   * are alike and named side by side, and those of the caller's own zone not at all. An order it cannot keep is refused.
   * @default - the next region in the order of the mesh's clusters, then all others alike
   */
  readonly failover?: Readonly<Partial<Record<C, readonly C[]>>>;
  /**
   * Shares of the calls made in a cluster that go to the clusters, whole numbers that add up to 100. A cluster without
   * a share gets none, also when the others have no healthy endpoint left. Excludes `failover`.
   * @default - all in the caller's own cluster, while it has a healthy endpoint
   */
  readonly distribution?: Readonly<Record<C, Readonly<Partial<Record<C, number>>>>>;
  /** Shares of the calls per version, of two decimals at most, that add up to 100. @default - each pod gets the same share */
  readonly weights?: Readonly<Record<V, number>>;
  /** What is done with some of the calls. The most specific rule decides, wherever it stands (ADR 0007). */
  readonly rules?: readonly TrafficRule<C, V>[];
  readonly connections?: Connections;
  readonly outliers?: Outliers;
}
