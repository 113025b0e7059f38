import type { IstioSpec } from '../../model/istio-models.ts';
import { eastWestGateway } from '../scope/names.ts';
import { clientHead } from '../edge/shared-connections.ts';
import { bufferBytes } from './overload.ts';

/** How much later the proxy ends a request that stands still than the HTTP gateway, which tells the client why. Milliseconds. */
const graceMs = 30_000;

const context = 'GATEWAY';

/** Someone's own EnvoyFilters have the last word: by default they have priority 0, and come later. */
const priority = -10;

/** What waits in a connection of a client, and in one to an upstream. */
const buffers = (['LISTENER', 'CLUSTER'] as const).map((applyTo) => ({
  applyTo,
  match: { context },
  patch: { operation: 'MERGE', value: { per_connection_buffer_limit_bytes: bufferBytes } },
})) satisfies IstioSpec<'EnvoyFilter'>['configPatches'];

const connectionManager = 'envoy.filters.network.http_connection_manager';

/**
 * A path with `.` or `..` before a `;`, as it is once Envoy has normalized it: it decodes `%2e%2e;` to `..;`, and takes that for a
 * step up only when the path is normalized again. The proxy before the HTTP gateway does so, after the policy here has looked.
 */
export const unsettledPath = String.raw`.*/\.\.?;.*`;

const header = (name: string, match: object) => ({ header: { name, string_match: match } });

/**
 * What Envoy takes in HTTP/1.1 and nghttp2 refuses in HTTP/2, which the gateways speak to an edge. A Host that is empty or has user
 * information is no host of an `http` URI (RFC 9110, sections 4.2.1 and 4.2.4), and no content is 10^18 bytes long.
 */
const refusedInHttp2 = [
  header(':authority', { exact: '' }),
  header(':authority', { contains: '@' }),
  header('te', { exact: '' }),
  header('content-length', { safe_regex: { regex: '.{19,}' } }),
];

/** An HTTP filter that answers 403 to such paths and requests, before any other filter looks at them. */
const soundRequests = {
  name: 'meshwright.sound_requests',
  typed_config: {
    '@type': 'type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC',
    rules: {
      action: 'DENY',
      policies: {
        'unsettled-path': {
          permissions: [{ url_path: { path: { safe_regex: { regex: unsettledPath } } } }],
          principals: [{ any: true }],
        },
        'refused-in-http2': { permissions: refusedInHttp2, principals: [{ any: true }] },
      },
    },
  },
};

/**
 * An EnvoyFilter body that has the ingress gateways treat clients as Envoy asks of a proxy at the edge
 * (https://www.envoyproxy.io/docs/envoy/latest/configuration/best_practices/edge). What Istio does by itself is not said again:
 * the client's address from the connection, normalized paths, the time to a listener's filters. Not by `connectionSettings` of a
 * ProxyConfig, which Istio has from 1.31 on.
 *
 * A request has no time limit as a whole, and a body none: an import and a WebSocket may take hours while they move. What stands
 * still is ended, also a unary request whose answer has not begun: to Envoy, both are a stream without activity.
 * @param labels - of the ingress gateways' pods
 * @param longestWaitMs - the longest that an edge's HTTP gateway lets a request stand still; the proxy waits longer
 */
export function edgeProxy(
  labels: Readonly<Record<string, string>>,
  longestWaitMs: number,
): IstioSpec<'EnvoyFilter'> {
  return {
    workloadSelector: { labels },
    priority,
    configPatches: [
      {
        applyTo: 'NETWORK_FILTER',
        match: { context, listener: { filterChain: { filter: { name: connectionManager } } } },
        patch: {
          operation: 'MERGE',
          value: {
            typed_config: {
              '@type':
                'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
              common_http_protocol_options: {
                // A connection without a request. Envoy's hour would let one client keep what it opened in a minute; less than what a
                // load balancer keeps its own for would close one that it is about to use. Google's are fixed at 600 s:
                // https://cloud.google.com/load-balancing/docs/https/request-distribution
                idle_timeout: '620s',
                // `x_user` is another header than `x-user` to us, but not to every server behind.
                headers_with_underscores_action: 'REJECT_REQUEST',
                max_headers_count: clientHead.headers,
              },
              http2_protocol_options: {
                max_concurrent_streams: 100,
                initial_stream_window_size: 64 * 2 ** 10,
                initial_connection_window_size: 2 ** 20,
              },
              max_request_headers_kb: clientHead.kib,
              // As the HTTP gateway behind waits for a head.
              request_headers_timeout: '10s',
              stream_idle_timeout: `${Math.ceil((longestWaitMs + graceMs) / 1_000)}s`,
            },
          },
        },
      },
      {
        applyTo: 'HTTP_FILTER',
        match: { context, listener: { filterChain: { filter: { name: connectionManager } } } },
        patch: { operation: 'INSERT_FIRST', value: soundRequests },
      },
      ...buffers,
      {
        // A handshake of TLS that does not go on.
        applyTo: 'FILTER_CHAIN',
        match: { context },
        patch: { operation: 'MERGE', value: { transport_socket_connect_timeout: '10s' } },
      },
    ],
  };
}

/** An EnvoyFilter body that has the east-west gateways, which pass TCP through, hold as little of a connection as the ingress. */
export function passThroughProxy(): IstioSpec<'EnvoyFilter'> {
  const workloadSelector = { labels: { istio: eastWestGateway.selector } };
  return { workloadSelector, priority, configPatches: buffers };
}
