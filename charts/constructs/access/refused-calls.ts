import type { IstioSpec } from '../../model/istio-models.ts';

/**
 * An EnvoyFilter body that has the proxy beside a gRPC server make a call again which the server refused unseen
 * (REFUSED_STREAM, or a stream above the last one of a GOAWAY), as every gRPC client does
 * (https://github.com/grpc/proposal/blob/master/A6-client-retries.md#transparent-retries). A server that ends a connection,
 * at its age or when it stops, refuses what is on its way to it. Without, the caller gets UNAVAILABLE, with no sign that the
 * call may be repeated: its own proxy sees an answer.
 * @param ports - those that gRPC servers listen on, at least one
 */
export function refusedCalls(ports: readonly number[]): IstioSpec<'EnvoyFilter'> {
  return {
    configPatches: ports.map((port) => ({
      applyTo: 'HTTP_ROUTE',
      match: { context: 'SIDECAR_INBOUND', routeConfiguration: { name: `inbound|${port}||` } },
      patch: {
        operation: 'MERGE',
        value: { route: { retry_policy: { retry_on: 'refused-stream', num_retries: 2 } } },
      },
    })),
  };
}
