/** Statuses Envoy can retry (https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/router_filter, x-envoy-retry-grpc-on). */
export const retriableStatuses = [
  'CANCELLED',
  'DEADLINE_EXCEEDED',
  'INTERNAL',
  'RESOURCE_EXHAUSTED',
  'UNAVAILABLE',
] as const;

/** Retries of failed calls by the caller's proxy (Istio, HTTPRetry). */
export interface Retries {
  /** Further attempts after the first, 1 to 10. */
  readonly attempts: number;
  /**
   * Statuses that are tried again, where the server sends them without any message before. A connection that fails or
   * breaks before there is an answer is always tried again.
   * @default - UNAVAILABLE
   */
  readonly on?: readonly (typeof retriableStatuses)[number][];
  /** Limit of each attempt, in milliseconds. @default - the rule's timeout, for all attempts together */
  readonly perTryTimeoutMs?: number;
}

/** When a pod, or from another cluster all pods behind its gateway, gets no calls for a while (ADR 0005). */
export interface Outliers {
  /** UNAVAILABLE answers, timeouts or lost connections in a row. @default 5 */
  readonly consecutiveErrors?: number;
  /** Time between looks at who is to come back, in seconds. @default 10 */
  readonly intervalSeconds?: number;
  /** Time out of use, in seconds, for the first time; as much longer each further time. @default 30 */
  readonly ejectionSeconds?: number;
  /**
   * Largest part of the pods, of each version by itself, that may be out of use at once.
   * @default - 100 where another region or zone takes over, otherwise 50
   */
  readonly maxEjectionPercent?: number;
}

/**
 * What holds for calls to every GrpcService of a mesh, or of a namespace, of which nothing nearer says otherwise: what a TrafficPolicy says of a
 * method, or of outliers, goes before its namespace, and that before the mesh, key by key.
 */
export interface TrafficDefaults {
  /** Limit of each unary call with its retries, in milliseconds. Streams have none. @default - none */
  readonly timeoutMs?: number;
  /**
   * Retries of unary calls, of methods whose proto says that they may be repeated (`idempotency_level` NO_SIDE_EFFECTS or IDEMPOTENT), and into which no
   * fault is injected. Others are left as they are. @default - none by status
   */
  readonly retries?: Retries;
  /** When a pod gets no calls for a while. @default - that of each key */
  readonly outliers?: Outliers;
}

/** What holds in a namespace: what it says itself, and else what the mesh says. */
export function defaultsOf(mesh: TrafficDefaults = {}, namespace: TrafficDefaults = {}): TrafficDefaults {
  const outliers = { ...saidIn(mesh.outliers), ...saidIn(namespace.outliers) };
  const { timeoutMs = mesh.timeoutMs, retries = mesh.retries } = namespace;
  return {
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(retries === undefined ? {} : { retries }),
    ...(Object.keys(outliers).length === 0 ? {} : { outliers }),
  };
}

/** A key that is given as undefined says nothing, as elsewhere, and takes nothing away that the mesh says. */
function saidIn(outliers: Outliers = {}): Outliers {
  return Object.fromEntries(Object.entries(outliers).filter(([, value]) => value !== undefined));
}
