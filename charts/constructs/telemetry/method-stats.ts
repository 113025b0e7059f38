import type { IstioSpec } from '../../model/istio-models.ts';
import type { Method } from '../scope/method.ts';

type MethodName = Method['descriptor'];
type Context = 'SIDECAR_INBOUND' | 'SIDECAR_OUTBOUND';

/**
 * An EnvoyFilter body that makes a workload's proxy count calls by gRPC method and status, and time them
 * (https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/grpc_stats_filter). Only the methods
 * its proto and its `calls` name get statistics of their own; whatever else a caller makes up is counted together, so
 * that the number of time series cannot be driven from outside.
 *
 * It is merged into the filter that istiod puts into every HTTP listener, which by itself counts no method.
 */
export function methodStats(
  labels: Readonly<Record<string, string>>,
  served: readonly MethodName[],
  called: readonly MethodName[],
): IstioSpec<'EnvoyFilter'> {
  const patches: readonly (readonly [Context, readonly MethodName[]])[] = [
    ['SIDECAR_INBOUND', served],
    ['SIDECAR_OUTBOUND', called],
  ];
  return {
    workloadSelector: { labels },
    configPatches: patches
      .filter(([, methods]) => methods.length > 0)
      .map(([context, methods]) => ({
        applyTo: 'HTTP_FILTER',
        match: {
          context,
          listener: {
            filterChain: {
              filter: {
                name: 'envoy.filters.network.http_connection_manager',
                subFilter: { name: 'envoy.filters.http.grpc_stats' },
              },
            },
          },
        },
        patch: {
          operation: 'MERGE',
          value: {
            typed_config: {
              '@type': 'type.googleapis.com/envoy.extensions.filters.http.grpc_stats.v3.FilterConfig',
              emit_filter_state: true,
              enable_upstream_stats: true,
              individual_method_stats_allowlist: { services: byService(methods) },
            },
          },
        },
      })),
  };
}

function byService(methods: readonly MethodName[]) {
  const services = Map.groupBy(methods, ({ parent }) => parent.typeName);
  return [...services]
    .map(([name, some]) => ({ name, method_names: [...new Set(some.map((method) => method.name))].sort() }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}
