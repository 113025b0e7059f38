import { freePort } from '../../../apps/testing/free-port.ts';
import { connectionsOf, connectionsTo } from '../../../charts/constructs/edge/shared-connections.ts';
import { edgeProxy } from '../../../charts/constructs/gateways/edge-proxy.ts';
import {
  gatewayOutliers,
  type OutlierDetection,
} from '../../../charts/constructs/traffic/destination-rule.ts';
import { cluster, listener, startEnvoy, valueOf, type Envoy } from './envoy.ts';

/** Two Envoys in a row, an ingress gateway and the proxy beside an edge. */
export interface SharedEdge {
  readonly envoy: Envoy;
  /** The gateway's. */
  readonly port: number;
  /** The gateway's without what it refuses. */
  readonly bare: number;
}

/** As istiod has it for every listener for HTTP. */
const upgrades = { upgrade_configs: [{ upgrade_type: 'websocket' }] };

const typedConfig = (filter: Parameters<typeof valueOf>[0]) =>
  valueOf(filter, 'NETWORK_FILTER')['typed_config'] as object;

const route = (name: string) => ({ route: { cluster: name, timeout: '0s' } });

/**
 * Starts them with what the constructs render for the connections between them.
 * @param app - the port of a server that stands for the HTTP gateway
 */
export async function startSharedEdge(app: number): Promise<SharedEdge> {
  const port = await freePort();
  const bare = await freePort();
  const sidecar = await freePort();
  const clients = edgeProxy({}, 300_000);
  const settings = { ...upgrades, use_remote_address: true, ...typedConfig(clients) };
  const beside = { ...upgrades, ...typedConfig(connectionsOf({}, sidecar)) };
  const envoy = await startEnvoy({
    static_resources: {
      listeners: [
        listener('gateway', port, settings, [valueOf(clients, 'HTTP_FILTER')], route('edge')),
        listener('bare', bare, settings, [], route('edge')),
        listener('sidecar', sidecar, beside, [], route('app')),
      ],
      clusters: [
        {
          ...cluster('edge', sidecar),
          ...valueOf(connectionsTo({}, { host: 'edge.shop.svc.cluster.local', port: sidecar }), 'CLUSTER'),
          ...outliersOf(gatewayOutliers),
        },
        cluster('app', app),
      ],
    },
  });
  return { envoy, port, bare };
}

/** What istiod makes of it for a cluster (`applyOutlierDetection`). */
function outliersOf(outliers: OutlierDetection): object {
  return {
    common_lb_config: { healthy_panic_threshold: { value: outliers.minHealthPercent ?? 0 } },
    outlier_detection: {
      split_external_local_origin_errors: outliers.splitExternalLocalOriginErrors,
      consecutive_local_origin_failure: outliers.consecutiveLocalOriginFailures,
      enforcing_consecutive_local_origin_failure: 100,
      enforcing_local_origin_success_rate: 0,
      enforcing_success_rate: 0,
      consecutive_5xx: outliers.consecutive5xxErrors,
      enforcing_consecutive_5xx: 0,
      max_ejection_percent: 100,
    },
  };
}
