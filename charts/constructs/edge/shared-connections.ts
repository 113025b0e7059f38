import type { DescService } from '@bufbuild/protobuf';
import type { Problem } from '../../../core/problem.ts';
import type { IstioSpec } from '../../model/istio-models.ts';
import type { Callee } from '../scope/method.ts';
import { restingSeconds } from '../traffic/connection-age.ts';
import { requestsPerConnection, type CallerConnections } from '../traffic/destination-rule.ts';
import { TrafficPolicy } from '../traffic/traffic-policy.ts';

/** Requests that are in flight on one connection at most; a further one takes, or opens, another connection. */
const streams = 100;

/** The smallest window of a stream that Envoy takes, and HTTP/2's default (RFC 9113, section 6.9.2). Bytes. */
const streamWindow = 2 ** 16;

/**
 * Settings of HTTP/2 on a connection that requests of several clients share. Envoy's connection has room for one and a half of its
 * streams by default: two answers that their clients do not read, or two bodies that a server does not read, hold up all others.
 * Here it has room for all streams, so that who stands still holds up nobody else.
 */
export const sharedHttp2 = {
  max_concurrent_streams: streams,
  initial_stream_window_size: streamWindow,
  initial_connection_window_size: streams * streamWindow,
  // A message that HTTP/1.1 allows and HTTP/2 does not ends its stream. By default Envoy closes the connection, with all streams on it:
  // https://www.envoyproxy.io/docs/envoy/latest/configuration/best_practices/level_two
  override_stream_error_on_invalid_http_message: true,
} as const;

/** The most of a request's head that a client may send to an ingress gateway: Envoy's defaults. Beyond it the answer is 431. */
export const clientHead = { headers: 100, kib: 60 } as const;

/**
 * The most of a request's head that the proxy beside an edge takes: twice what an ingress gateway takes from a client, because that adds
 * headers of its own, and claims. Over HTTP/2 what is too much is no answer of 431 but a stream that is reset, and resets in a row
 * take a pod out of use.
 */
export const besideHead = { headers: 2 * clientHead.headers, kib: 2 * clientHead.kib } as const;

const upstreamOptions = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions';

/**
 * An EnvoyFilter body for the ingress gateways: how they keep their connections to an edge. It says everything that istiod takes
 * from the edge's DestinationRule for this, because an EnvoyFilter replaces the protocol options of a cluster as a whole.
 * @param labels - of the ingress gateways' pods
 */
export function connectionsTo(
  labels: Readonly<Record<string, string>>,
  edge: { readonly host: string; readonly port: number },
): IstioSpec<'EnvoyFilter'> {
  const kept = { idleTimeout: `${restingSeconds}s`, maxRequestsPerConnection: requestsPerConnection };
  return toUpstream(labels, { ...edge, kept }, {});
}

/** Above every number that counts. */
const never = 2 ** 32 - 1;

/**
 * The same for a service that they call themselves, for native gRPC clients. As for an edge, a pod is taken out of use by failures to reach
 * it, and not by its answers: a client can have it answer UNAVAILABLE, or DEADLINE_EXCEEDED by a deadline of a millisecond, and so would
 * take it away from everybody. With no pod left all get calls as if none were out. A `MERGE` cannot set a field to zero, so that what istiod
 * has set is put out of reach.
 */
export function connectionsToService(
  labels: Readonly<Record<string, string>>,
  service: { readonly host: string; readonly port: number; readonly kept: CallerConnections },
): IstioSpec<'EnvoyFilter'> {
  return toUpstream(labels, service, {
    common_lb_config: { healthy_panic_threshold: { value: 1 } },
    outlier_detection: {
      split_external_local_origin_errors: true,
      consecutive_local_origin_failure: service.kept.consecutiveErrors,
      enforcing_consecutive_local_origin_failure: 100,
      consecutive_gateway_failure: never,
      success_rate_minimum_hosts: never,
    },
  });
}

function toUpstream(
  labels: Readonly<Record<string, string>>,
  upstream: {
    readonly host: string;
    readonly port: number;
    readonly kept: Omit<CallerConnections, 'consecutiveErrors'>;
  },
  more: object,
): IstioSpec<'EnvoyFilter'> {
  const { host, port, kept } = upstream;
  const { idleTimeout, maxRequestsPerConnection } = kept;
  return {
    workloadSelector: { labels },
    configPatches: [
      {
        applyTo: 'CLUSTER',
        match: { context: 'GATEWAY', cluster: { service: host, portNumber: port } },
        patch: {
          operation: 'MERGE',
          value: {
            typed_extension_protocol_options: {
              [upstreamOptions]: {
                '@type': `type.googleapis.com/${upstreamOptions}`,
                common_http_protocol_options: {
                  ...(idleTimeout === undefined ? {} : { idle_timeout: idleTimeout }),
                  max_requests_per_connection: maxRequestsPerConnection,
                  // As for requests: the proxy beside the edge adds headers to an answer, too.
                  max_headers_count: besideHead.headers,
                },
                explicit_http_config: { http2_protocol_options: sharedHttp2 },
              },
            },
            ...more,
          },
        },
      },
    ],
  };
}

/**
 * An EnvoyFilter body for the proxies beside an edge's pods: HTTP/2 with room for every stream, and WebSockets over it
 * (RFC 8441), which Envoy refuses by default.
 * @param labels - of the edge's pods
 */
export function connectionsOf(
  labels: Readonly<Record<string, string>>,
  port: number,
): IstioSpec<'EnvoyFilter'> {
  return besidePods(labels, port, { allow_connect: true });
}

/** The same for the pods of a service that the ingress gateways call themselves; nothing there is a WebSocket. */
export function connectionsOfService(
  labels: Readonly<Record<string, string>>,
  port: number,
): IstioSpec<'EnvoyFilter'> {
  return besidePods(labels, port, {});
}

function besidePods(
  labels: Readonly<Record<string, string>>,
  port: number,
  more: object,
): IstioSpec<'EnvoyFilter'> {
  const connectionManager = 'envoy.filters.network.http_connection_manager';
  return {
    workloadSelector: { labels },
    configPatches: [
      {
        applyTo: 'NETWORK_FILTER',
        match: {
          context: 'SIDECAR_INBOUND',
          listener: { portNumber: port, filterChain: { filter: { name: connectionManager } } },
        },
        patch: {
          operation: 'MERGE',
          value: {
            typed_config: {
              '@type':
                'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
              http2_protocol_options: { ...more, ...sharedHttp2 },
              common_http_protocol_options: { max_headers_count: besideHead.headers },
              max_request_headers_kb: besideHead.kib,
            },
          },
        },
      },
    ],
  };
}

/** The fewest calls on a connection with which a client can have it cut for others (see {@link requestsPerConnection}). */
const cutAt = 250;

/** Services of an edge whose traffic policies let a client of the edge have a connection cut that others share. */
export function sharedProblems(edge: string, services: readonly Callee[]): readonly Problem[] {
  const policies = services.flatMap(({ node }) =>
    node.children.filter(
      (part): part is TrafficPolicy<DescService, string, string> => part instanceof TrafficPolicy,
    ),
  );
  return policies.flatMap(({ where, props }): Problem[] => {
    const received = props.connections?.maxRequestsPerConnection;
    if (typeof received !== 'number' || received < cutAt) return [];
    return [
      {
        where: `${where}: connections.maxRequestsPerConnection`,
        what: `is so many that one client of ${edge} can have the connections of others cut, by calls that it takes back`,
        received,
        allowed: `up to ${cutAt - 1} for a service that an HttpEdge exposes`,
        fix: 'take fewer, or leave it out for 200',
      },
    ];
  });
}
