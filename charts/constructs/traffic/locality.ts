import type { IstioSpec } from '../../model/istio-models.ts';
import type { Cluster } from '../scope/cluster.ts';
import type { TrafficPolicyProps } from './props.ts';

type Setting = NonNullable<
  NonNullable<NonNullable<IstioSpec<'DestinationRule'>['trafficPolicy']>['loadBalancer']>['localityLbSetting']
>;

export interface Locality {
  readonly setting: Setting;
  /** Whether calls have somewhere else to go when a cluster's endpoints are all out of use. */
  readonly failsOver: boolean;
}

/**
 * How calls choose between localities
 * (https://istio.io/latest/docs/tasks/traffic-management/locality-load-balancing/): each region fails over to the next
 * one the service runs in, or as the policy says.
 * @param placement - clusters the service runs in
 * @param clusters - all clusters of the mesh
 */
export function localityOf(
  placement: readonly string[],
  clusters: readonly Cluster[],
  policy: Pick<TrafficPolicyProps<string, string>, 'failover' | 'distribution'> = {},
): Locality {
  if (policy.distribution !== undefined) return distributed(clusters, policy.distribution);
  const regionOf = new Map(clusters.map(({ name, region }) => [name, region]));
  const regions = [
    ...new Set(clusters.filter(({ name }) => placement.includes(name)).map(({ region }) => region)),
  ];
  const next = new Map(
    regions.map((from, index) => [from, regions[(index + 1) % regions.length] ?? from] as const),
  );
  for (const [from, list] of Object.entries(policy.failover ?? {}) as [string, readonly string[]][]) {
    const region = regionOf.get(from);
    // The clusters of its own region, which Istio always tries first, say nothing of the next one.
    const to = list.map((cluster) => regionOf.get(cluster)).find((one) => one !== region);
    if (region !== undefined && to !== undefined) next.set(region, to);
  }
  const failover = [...next].filter(([from, to]) => from !== to).map(([from, to]) => ({ from, to }));
  return {
    setting: { enabled: true, ...(failover.length === 0 ? {} : { failover }) },
    failsOver: placesOf(placement, clusters) > 1,
  };
}

/** How many places that Istio can tell apart: it also fails over between the zones of a region. */
export function placesOf(placement: readonly string[], clusters: readonly Cluster[]): number {
  const placed = clusters.filter(({ name }) => placement.includes(name));
  return new Set(placed.map(({ region, zone }) => `${region}/${zone}`)).size;
}

function distributed(
  clusters: readonly Cluster[],
  distribution: NonNullable<TrafficPolicyProps<string, string>['distribution']>,
): Locality {
  const localities = new Map(clusters.map((cluster) => [cluster.name, localityName(cluster, clusters)]));
  const shares = Object.entries(distribution).map(([from, to]) => ({
    from: localities.get(from) ?? from,
    to: Object.fromEntries(
      Object.entries(to)
        .filter(([, share]) => share !== 0)
        .map(([cluster, share]) => [localities.get(cluster) ?? cluster, share]),
    ) as Record<string, number>,
  }));
  return {
    setting: { enabled: true, distribute: shares },
    failsOver: shares.every(({ to }) => Object.keys(to).length > 1),
  };
}

/** What Istio calls the place of a cluster; its zones only where it shares the region. */
function localityName({ name, region, zone }: Cluster, clusters: readonly Cluster[]): string {
  const shared = clusters.some((other) => other.name !== name && other.region === region);
  return shared ? `${region}/${zone}` : region;
}
