import type { IstioSpec } from '../../model/istio-models.ts';
import type { Cluster } from '../scope/cluster.ts';
import { outlierDetection, type OutlierDetection } from '../traffic/destination-rule.ts';
import { localityOf } from '../traffic/locality.ts';

/** What the traffic to a service over TCP is made from. */
export interface TcpDestined {
  readonly host: string;
  /** Ports of its Service. */
  readonly ports: readonly number[];
  /** Clusters it runs in. */
  readonly placement: readonly string[];
  /** All clusters of the mesh. */
  readonly clusters: readonly Cluster[];
  /** Whether its instances hold the same data. */
  readonly replicated: boolean;
}

/** Istio's label of the cluster that an endpoint, or a proxy, is in. It gives it to both itself. */
const clusterLabel = 'topology.istio.io/cluster';

/** Five connections in a row that could not be made. What a server answers is not seen. */
const outliers: OutlierDetection = {
  splitExternalLocalOriginErrors: true,
  consecutiveLocalOriginFailures: 5,
  consecutive5xxErrors: 0,
};

/**
 * A DestinationRule body (https://istio.io/latest/docs/reference/config/networking/destination-rule/). Connections to instances of the same
 * data stay in the caller's locality while it has an instance that can be reached, and otherwise go to the next region. To instances
 * of data of their own they go by cluster, a subset each, which {@link tcpRoutes} leads to; nothing takes an instance out of use, as there
 * is no other that has its data.
 */
export function tcpDestinationRule(service: TcpDestined): IstioSpec<'DestinationRule'> {
  const { host, placement, clusters, replicated } = service;
  if (replicated) {
    const locality = localityOf(placement, clusters);
    return {
      host,
      trafficPolicy: {
        loadBalancer: { localityLbSetting: locality.setting },
        outlierDetection: outlierDetection(outliers, locality),
      },
    };
  }
  return {
    host,
    trafficPolicy: { loadBalancer: { localityLbSetting: { enabled: false } } },
    ...(isAlone(service)
      ? {}
      : { subsets: placement.map((name) => ({ name, labels: { [clusterLabel]: name } })) }),
  };
}

/** Whether the mesh has one cluster, which an Istio of others may have under any name. */
function isAlone({ clusters }: TcpDestined): boolean {
  return clusters.length === 1;
}

/**
 * A VirtualService body that leads each caller to the instances of one cluster: its own, or the only one that has any. So pods that are left in
 * another cluster, while the placement changes, get no connection. None where all instances hold the same data, or there is one cluster.
 */
export function tcpRoutes(service: TcpDestined): IstioSpec<'VirtualService'> | undefined {
  const { host, ports, placement, replicated } = service;
  if (replicated || isAlone(service)) return undefined;
  return {
    hosts: [host],
    tcp: ports.flatMap((port) =>
      placement.map((cluster) => ({
        match: [{ port, ...(placement.length === 1 ? {} : { sourceLabels: { [clusterLabel]: cluster } }) }],
        route: [{ destination: { host, subset: cluster, port: { number: port } } }],
      })),
    ),
  };
}

/** Whether it runs in several clusters with data of its own in each. */
export function isApart({ placement, replicated }: Pick<TcpDestined, 'placement' | 'replicated'>): boolean {
  return !replicated && placement.length > 1;
}
