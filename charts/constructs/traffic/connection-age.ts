import type { IstioSpec } from '../../model/istio-models.ts';

/** How long a gateway's proxy goes on after its pod was told to end, in seconds. */
export const gatewayDrainSeconds = 25;

/**
 * After this, a connection takes no further call and its open ones end: in time before an east-west gateway that it passes
 * is gone. Envoy waits 5 s between its first notice and the last (`drain_timeout`).
 */
const connectionAgeSeconds = gatewayDrainSeconds - 5;

/**
 * How long callers keep an HTTP/1.1 connection that rests, in seconds. It has to be shorter than the age: at that, the proxy that
 * is called closes a connection that has not carried a request yet without any notice (Envoy makes those in a burst, when another
 * connection is free before the new one is open), and one that is sent at this moment would be lost.
 */
export const restingSeconds = connectionAgeSeconds / 2;
/** The longest that may be asked for instead. */
export const maxRestingSeconds = connectionAgeSeconds - 1;

/**
 * An EnvoyFilter body that has every workload's proxy replace the connections that callers keep to it, by the notice that
 * HTTP has for that (GOAWAY, or `connection: close`), as gRPC servers do by their maximum connection age
 * (https://grpc.io/docs/guides/keepalive/). An east-west gateway passes TLS on and cannot give notice itself: when one ends,
 * calls that run over it at that moment would be lost.
 *
 * On the side that is called: a DestinationRule's `maxConnectionDuration` would also have the gateway between cut
 * connections, which it can do without notice only.
 */
export function connectionAge(): IstioSpec<'EnvoyFilter'> {
  const connectionManager = 'envoy.filters.network.http_connection_manager';
  return {
    configPatches: [
      {
        applyTo: 'NETWORK_FILTER',
        match: {
          context: 'SIDECAR_INBOUND',
          listener: { filterChain: { filter: { name: connectionManager } } },
        },
        patch: {
          operation: 'MERGE',
          value: {
            typed_config: {
              '@type': `type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager`,
              common_http_protocol_options: { max_connection_duration: `${connectionAgeSeconds}s` },
              // HTTP/1.1 knows no notice but the header of a response: closed between two, a connection takes a request along.
              http1_safe_max_connection_duration: true,
            },
          },
        },
      },
    ],
  };
}
