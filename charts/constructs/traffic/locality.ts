import type { IstioSpec } from '../../model/istio-models.ts';
import { zonesOf, type Cluster } from '../scope/cluster.ts';
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

/**
 * How many places that Istio can tell apart have pods, whatever zones of a cluster they are in: clusters that share a zone are one, as its pods
 * there may be all it has. Istio also fails over between the zones of a region.
 */
export function placesOf(placement: readonly string[], clusters: readonly Cluster[]): number {
  const placed = clusters.filter(({ name }) => placement.includes(name));
  const places: (readonly Cluster[])[] = [];
  for (const cluster of placed) {
    const beside = places.filter((place) => place.some((other) => sharedPlace(cluster, other) !== undefined));
    const apart = places.filter((place) => !beside.includes(place));
    places.splice(0, places.length, ...apart, [cluster, ...beside.flat()]);
  }
  return places.length;
}

/** A zone that both clusters have, with its region. */
export function sharedPlace(one: Cluster, other: Cluster): string | undefined {
  if (one.region !== other.region) return undefined;
  const zone = zonesOf(one).find((name) => zonesOf(other).includes(name));
  return zone === undefined ? undefined : `${one.region}/${zone}`;
}

/**
 * Whether calls made in a cluster may go to another one although its own has healthy pods: where they share a zone, and where the cluster has several zones of
 * their region, as a caller in a zone without pods takes those of all other zones alike.
 */
export function isAlike(from: Cluster, other: Cluster): boolean {
  if (from === other || from.region !== other.region) return false;
  return zonesOf(from).length > 1 || sharedPlace(from, other) !== undefined;
}

function distributed(
  clusters: readonly Cluster[],
  distribution: NonNullable<TrafficPolicyProps<string, string>['distribution']>,
): Locality {
  const localities = new Map(clusters.map((cluster) => [cluster.name, localityNames(cluster, clusters)]));
  const namesOf = (cluster: string) => localities.get(cluster) ?? [cluster];
  const shares = Object.entries(distribution).flatMap(([from, to]) =>
    namesOf(from).map((name) => ({
      from: name,
      to: Object.fromEntries(
        Object.entries(to)
          .filter(([, share]) => share !== 0)
          // Of a cluster with several names no share is accepted (cluster-problems.ts).
          .map(([cluster, share]) => [namesOf(cluster)[0] ?? cluster, share]),
      ) as Record<string, number>,
    })),
  );
  return {
    setting: { enabled: true, distribute: shares },
    failsOver: shares.every(({ to }) => Object.keys(to).length > 1),
  };
}

/** What Istio calls the places of a cluster: its region, for all zones of it, unless it shares that; else each of its zones. */
export function localityNames(cluster: Cluster, clusters: readonly Cluster[]): readonly string[] {
  const { name, region } = cluster;
  const shared = clusters.some((other) => other.name !== name && other.region === region);
  return shared ? zonesOf(cluster).map((zone) => `${region}/${zone}`) : [region];
}
