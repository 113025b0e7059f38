import { restingSeconds } from './connection-age.ts';
import type { IstioSpec } from '../../model/istio-models.ts';
import { versionLabel } from '../scope/names.ts';
import type { Cluster } from '../scope/cluster.ts';
import { localityOf, placesOf, type Locality } from './locality.ts';
import type { Connections, Outliers, TrafficPolicyProps } from './props.ts';

type Policy = NonNullable<IstioSpec<'DestinationRule'>['trafficPolicy']>;

/** What takes an endpoint out of use, in Istio's words. */
export type OutlierDetection = NonNullable<Policy['outlierDetection']>;

/**
 * For gRPC: five answers in a row that say that the server is not there (UNAVAILABLE, a lost connection; Envoy sees
 * them as 502 to 504). UNIMPLEMENTED and INTERNAL are a program's answers and take nobody out. Istio's counter of all
 * 5xx is off: it counts those, too.
 */
export const grpcOutliers: OutlierDetection = { consecutiveGatewayErrors: 5, consecutive5xxErrors: 0 };

/**
 * For a translating gateway: five failures to reach it. Its 5xx answers tell of the services behind it, or of what a
 * client asked for: with them as a measure one dead service, or one client, would take the whole edge away.
 *
 * Envoy counts an answer that is cut, or a stream that is reset, as a failure to reach it, and a client can have several of its own end so
 * at once. When no pod is left, here or elsewhere, all get requests as if none were out (`minHealthPercent`).
 */
export const gatewayOutliers: OutlierDetection = {
  splitExternalLocalOriginErrors: true,
  consecutiveLocalOriginFailures: 5,
  consecutive5xxErrors: 0,
  minHealthPercent: 1,
};

/**
 * Calls after which a connection is replaced. A proxy cuts a connection, with all calls that are open on it, when 250 of its calls were
 * taken back before an answer (half of `overload.premature_reset_total_stream_count`, CVE-2023-44487), or 1,000 at once (nghttp2). The
 * calls of many clients share a connection: with fewer calls on it than that, no client can have it cut for the others.
 */
export const requestsPerConnection = 200;

/** What a DestinationRule is made from. */
export interface Destined {
  readonly host: string;
  /** Clusters it runs in. */
  readonly placement: readonly string[];
  /** All clusters of the mesh. */
  readonly clusters: readonly Cluster[];
  readonly outliers: OutlierDetection;
  /** Whether it has a port for HTTP/1.1. */
  readonly http: boolean;
  /** Whether its callers speak HTTP/2 to that port's proxy, so that they share connections. @default false */
  readonly shared?: boolean;
  /** Versions that routes lead to by name, and the clusters each runs in. @default - none */
  readonly subsets?: readonly { readonly name: string; readonly placement: readonly string[] }[];
  readonly policy?: TrafficPolicyProps<string, string> | undefined;
}

/**
 * A DestinationRule body (https://istio.io/latest/docs/reference/config/networking/destination-rule/). Calls stay in the
 * caller's locality while it has a healthy endpoint, and otherwise go to the next region the service runs in, or as the
 * policy says. Envoy changes locality only with outlier detection. An endpoint is out for 30 s, and every further time
 * for 30 s longer. With failover every endpoint may go, as another region then takes its calls; without, half have to
 * stay, or ejecting would itself be the outage.
 *
 * From another network all pods of a cluster are one address, its east-west gateway, which gives each TLS connection to
 * one pod and cannot see the calls inside. A connection that is never replaced would keep all its calls on that pod, so
 * each one is replaced after {@link requestsPerConnection} calls; those that are open on it end in peace. One for HTTP/1.1
 * that rests is closed by its caller, the only side that can do so without losing a request (RFC 9112, 9.5).
 */
export function destinationRule(service: Destined): IstioSpec<'DestinationRule'> {
  const { host, subsets = [], policy } = service;
  const locality = localityOf(service.placement, service.clusters, policy);
  return {
    host,
    trafficPolicy: {
      connectionPool: connectionPool(service, policy?.connections),
      loadBalancer: { localityLbSetting: locality.setting },
      outlierDetection: outlierDetection(service.outliers, locality, policy?.outliers),
    },
    ...(subsets.length === 0
      ? {}
      : { subsets: subsets.map((subset) => subsetOf(service, locality, subset)) }),
  };
}

/** A version in one zone has nowhere else to go, also when other versions have: some of its pods have to stay. */
function subsetOf(
  { clusters, outliers, policy }: Destined,
  ofService: Locality,
  { name, placement }: NonNullable<Destined['subsets']>[number],
): NonNullable<IstioSpec<'DestinationRule'>['subsets']>[number] {
  const own = { ...ofService, failsOver: ofService.failsOver && placesOf(placement, clusters) > 1 };
  return {
    name,
    labels: { [versionLabel]: name },
    ...(own.failsOver === ofService.failsOver
      ? {}
      : { trafficPolicy: { outlierDetection: outlierDetection(outliers, own, policy?.outliers) } }),
  };
}

/** What a DestinationRule says, as far as an EnvoyFilter that replaces it has to say it again. */
export interface CallerConnections {
  /** Such as `10s`. @default - Envoy's hour */
  readonly idleTimeout?: string;
  readonly maxRequestsPerConnection?: number;
  /** Failures in a row that take a pod out of use. */
  readonly consecutiveErrors: number;
}

export function callerConnections(service: Destined): CallerConnections {
  const { connections, outliers } = service.policy ?? {};
  const { idleTimeout, maxRequestsPerConnection } = connectionPool(service, connections).http ?? {};
  return {
    ...(idleTimeout === undefined ? {} : { idleTimeout }),
    ...(maxRequestsPerConnection === undefined ? {} : { maxRequestsPerConnection }),
    consecutiveErrors: outliers?.consecutiveErrors ?? 5,
  };
}

function connectionPool(
  { http, shared = false }: Destined,
  connections: Connections = {},
): NonNullable<Policy['connectionPool']> {
  const { maxRequests, maxPendingRequests, maxRequestsPerConnection } = connections;
  const { idleTimeoutSeconds = http ? restingSeconds : undefined } = connections;
  return {
    http: {
      ...(shared ? { h2UpgradePolicy: 'UPGRADE' as const } : {}),
      ...(maxRequests === undefined ? {} : { http2MaxRequests: maxRequests }),
      ...(maxPendingRequests === undefined ? {} : { http1MaxPendingRequests: maxPendingRequests }),
      maxRequestsPerConnection: maxRequestsPerConnection ?? requestsPerConnection,
      ...(idleTimeoutSeconds === undefined ? {} : { idleTimeout: `${idleTimeoutSeconds}s` }),
    },
  };
}

/** What takes endpoints out of use, and how many of them. */
export function outlierDetection(
  defaults: OutlierDetection,
  { failsOver }: Locality,
  outliers: Outliers = {},
): OutlierDetection {
  const { consecutiveErrors, intervalSeconds = 10, ejectionSeconds = 30, maxEjectionPercent } = outliers;
  return {
    ...defaults,
    ...(consecutiveErrors === undefined ? {} : { consecutiveGatewayErrors: consecutiveErrors }),
    interval: `${intervalSeconds}s`,
    baseEjectionTime: `${ejectionSeconds}s`,
    maxEjectionPercent: maxEjectionPercent ?? (failsOver ? 100 : 50),
  };
}
