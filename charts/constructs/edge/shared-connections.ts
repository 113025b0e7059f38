import type { IstioSpec } from '../../model/istio-models.ts';
import { nameLabel } from '../../model/labels.ts';
import { ingressGateway } from '../scope/names.ts';
import { restingSeconds } from '../traffic/connection-age.ts';
import { requestsPerConnection } from '../traffic/destination-rule.ts';

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
} as const;

const upstreamOptions = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions';

/**
 * An EnvoyFilter body for the ingress gateways: how they keep their connections to an edge. It says everything that istiod takes
 * from the edge's DestinationRule for this, because an EnvoyFilter replaces the protocol options of a cluster as a whole.
 */
export function connectionsTo(edge: {
  readonly host: string;
  readonly port: number;
}): IstioSpec<'EnvoyFilter'> {
  return {
    workloadSelector: { labels: { istio: ingressGateway.selector } },
    configPatches: [
      {
        applyTo: 'CLUSTER',
        match: { context: 'GATEWAY', cluster: { service: edge.host, portNumber: edge.port } },
        patch: {
          operation: 'MERGE',
          value: {
            typed_extension_protocol_options: {
              [upstreamOptions]: {
                '@type': `type.googleapis.com/${upstreamOptions}`,
                common_http_protocol_options: {
                  idle_timeout: `${restingSeconds}s`,
                  max_requests_per_connection: requestsPerConnection,
                },
                explicit_http_config: { http2_protocol_options: sharedHttp2 },
              },
            },
          },
        },
      },
    ],
  };
}

/**
 * An EnvoyFilter body for the proxies beside an edge's pods: HTTP/2 with room for every stream, and WebSockets over it
 * (RFC 8441), which Envoy refuses by default.
 */
export function connectionsOf(edge: {
  readonly name: string;
  readonly port: number;
}): IstioSpec<'EnvoyFilter'> {
  const connectionManager = 'envoy.filters.network.http_connection_manager';
  return {
    workloadSelector: { labels: { [nameLabel]: edge.name } },
    configPatches: [
      {
        applyTo: 'NETWORK_FILTER',
        match: {
          context: 'SIDECAR_INBOUND',
          listener: { portNumber: edge.port, filterChain: { filter: { name: connectionManager } } },
        },
        patch: {
          operation: 'MERGE',
          value: {
            typed_config: {
              '@type':
                'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
              http2_protocol_options: { allow_connect: true, ...sharedHttp2 },
            },
          },
        },
      },
    ],
  };
}
