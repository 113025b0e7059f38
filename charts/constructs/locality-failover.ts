import type { IstioSpec } from './istio-models.ts';
import type { Cluster } from './mesh.ts';

/** What takes an endpoint out of use. */
export type Outliers = NonNullable<
  NonNullable<IstioSpec<'DestinationRule'>['trafficPolicy']>['outlierDetection']
>;

/**
 * For gRPC: five answers in a row that say that the server is not there (UNAVAILABLE, a lost connection; Envoy sees
 * them as 502 to 504). UNIMPLEMENTED and INTERNAL are a program's answers and take nobody out. Istio's counter of all
 * 5xx is off: it counts those, too.
 */
export const grpcOutliers: Outliers = { consecutiveGatewayErrors: 5, consecutive5xxErrors: 0 };

/**
 * For a translating gateway: five failures to reach it. Its 5xx answers tell of the services behind it, or of what a
 * client asked for: with them as a measure one dead service, or one client, would take the whole edge away.
 */
export const gatewayOutliers: Outliers = {
  splitExternalLocalOriginErrors: true,
  consecutiveLocalOriginFailures: 5,
  consecutive5xxErrors: 0,
};

/**
 * A DestinationRule body that keeps calls in the caller's locality while it has a healthy endpoint, and otherwise
 * sends them to the next region the service runs in
 * (https://istio.io/latest/docs/tasks/traffic-management/locality-load-balancing/failover/).
 *
 * Envoy changes locality only with outlier detection. An endpoint is out for 30 s, and every further time for 30 s
 * longer. With failover every endpoint may go, as another region then takes its calls; without, half have to stay, or
 * ejecting would itself be the outage.
 * @param placement - clusters the service runs in
 * @param clusters - all clusters of the mesh
 */
export function localityFailover(
  host: string,
  placement: readonly string[],
  clusters: readonly Cluster[],
  outliers: Outliers,
): IstioSpec<'DestinationRule'> {
  const placed = clusters.filter(({ name }) => placement.includes(name));
  const regions = [...new Set(placed.map(({ region }) => region))];
  const failover = regions.map((from, index) => ({
    from,
    to: regions[(index + 1) % regions.length] ?? from,
  }));
  const failsOver = regions.length > 1;
  return {
    host,
    trafficPolicy: {
      loadBalancer: { localityLbSetting: { enabled: true, ...(failsOver ? { failover } : {}) } },
      outlierDetection: {
        ...outliers,
        interval: '10s',
        baseEjectionTime: '30s',
        maxEjectionPercent: failsOver ? 100 : 50,
      },
    },
  };
}
