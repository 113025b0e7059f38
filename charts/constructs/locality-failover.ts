import type { IstioSpec } from './istio-models.ts';
import type { Cluster } from './mesh.ts';

/**
 * A DestinationRule body that keeps calls in the caller's locality while it has a healthy endpoint, and otherwise
 * sends them to the next region the service runs in
 * (https://istio.io/latest/docs/tasks/traffic-management/locality-load-balancing/failover/).
 *
 * Envoy changes locality only with outlier detection: five server errors in a row (gRPC's UNAVAILABLE, INTERNAL and
 * the like count as such) take an endpoint out for 30 s, and every further time for 30 s longer. With failover every
 * endpoint may go, as another region then takes its calls; without, half have to stay, or ejecting would itself be
 * the outage.
 * @param placement - clusters the service runs in
 * @param clusters - all clusters of the mesh
 */
export function localityFailover(
  host: string,
  placement: readonly string[],
  clusters: readonly Cluster[],
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
        consecutive5xxErrors: 5,
        interval: '10s',
        baseEjectionTime: '30s',
        maxEjectionPercent: failsOver ? 100 : 50,
      },
    },
  };
}
