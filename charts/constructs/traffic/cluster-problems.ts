import { own } from '../../../core/own.ts';
import type { Cluster } from '../scope/cluster.ts';
import type { Findings, Mapping } from './findings.ts';
import { isAlike, localityNames, sharedPlace } from './locality.ts';

/** What the rules on clusters look at. */
export interface Placed {
  /** Clusters the service runs in. */
  readonly placement: readonly string[];
  /** All clusters of the mesh. */
  readonly clusters: readonly Cluster[];
  /** Versions that calls are led to, and the clusters each runs in. */
  readonly routed: readonly { readonly version: string; readonly placement: readonly string[] }[];
}

/** Checks `failover`: that it is declared right, and that Istio can do it. */
export function failoverProblems(findings: Findings, placed: Placed, value: unknown): void {
  const names = placed.clusters.map(({ name }) => name);
  const failover = mappingOfClusters(findings, 'failover', value, names);
  if (failover === undefined) return;
  const preferred = new Map<string, { readonly from: string; readonly first: string }>();
  for (const [from, to] of Object.entries(failover)) {
    const path = `failover.${from}`;
    const before = findings.problems.length;
    const list = findings.list(path, to);
    if (Array.isArray(to) && list.length === 0) {
      findings.add(path, {
        what: 'lists no cluster to fail over to',
        received: [],
        fix: `name one, or leave ${from} out`,
      });
    }
    for (const cluster of list) clusterProblem(findings, path, placed, list, cluster, from);
    if (findings.problems.length > before || list.length === 0) continue;
    const beside = (list as readonly string[]).filter((cluster) => areAlike(placed, from, cluster));
    for (const received of beside) besideProblem(findings, path, placed, from, received);
    if (beside.length > 0) continue;
    regionProblems(findings, path, placed, from, list as readonly string[]);
    const region = regionOf(placed, from);
    const first = (list as readonly string[])
      .map((cluster) => regionOf(placed, cluster))
      .find((one) => one !== region);
    if (first === undefined) continue;
    const rival = preferred.get(region);
    if (rival !== undefined && rival.first !== first) {
      findings.add(path, {
        what: `differs from failover.${rival.from}, which is in the same region ${region}: Istio fails over by region`,
        received: to,
        fix: 'give both the same clusters',
      });
    }
    preferred.set(region, { from, first });
  }
}

/** A cluster that calls made in another one go to anyway. */
function besideProblem(
  findings: Findings,
  path: string,
  placed: Placed,
  from: string,
  received: string,
): void {
  const [home, other] = [from, received].map((name) => placed.clusters.find((one) => one.name === name));
  if (home === undefined || other === undefined) return;
  const place = sharedPlace(home, other);
  findings.add(
    path,
    place === undefined
      ? {
          what: `is in ${home.region}, like ${from} itself, which has several zones there: from one without healthy pods, Istio spreads calls evenly over all other zones of the region`,
          received,
          fix: 'remove it, or give each cluster its own region',
        }
      : {
          what: `is in ${place}, like ${from} itself: Istio spreads calls evenly over both, and does not fail over between them`,
          received,
          fix: 'remove it, or give each cluster its own zone',
        },
  );
}

/** Checks `distribution`: shares for every cluster, of clusters that Istio can tell apart. */
export function distributionProblems(findings: Findings, placed: Placed, value: unknown): void {
  const names = placed.clusters.map(({ name }) => name);
  const distribution = mappingOfClusters(findings, 'distribution', value, names);
  if (distribution === undefined) return;
  for (const name of names.filter((cluster) => !Object.hasOwn(distribution, cluster))) {
    findings.add('distribution', {
      what: `has no shares for calls made in ${name}, which Istio would then spread evenly over all pods of all clusters`,
      fix: `add ${name}: { ${placed.placement[0] ?? name}: 100 }, or other shares`,
    });
  }
  for (const [from, shares] of Object.entries(distribution)) {
    const path = `distribution.${from}`;
    const before = findings.problems.length;
    const to = findings.mapping(path, shares, placed.placement);
    if (to === undefined) continue;
    findings.shares(path, to);
    if (findings.problems.length === before) {
      shareProblems(findings, placed, distribution, from, to as Readonly<Record<string, number>>);
    }
  }
  placed.clusters.forEach((cluster, index) => {
    const { name } = cluster;
    const earlier = placed.clusters.slice(0, index);
    const rival = earlier.findLast((other) => sharedPlace(cluster, other) !== undefined);
    if (rival !== undefined) {
      const place = sharedPlace(cluster, rival) ?? '';
      findings.add('distribution', {
        what: `cannot tell ${name} from ${rival.name}: Istio distributes by region and zone, and both are in ${place}`,
        fix: 'remove the distribution, or give each cluster its own zone',
      });
    }
    const places = localityNames(cluster, placed.clusters);
    if (places.length === 1 || !placed.placement.includes(name)) return;
    findings.add('distribution', {
      what: `cannot give ${name} a share: it has several zones of a region that another cluster is in, too, and Istio distributes to regions or to single zones`,
      received: places,
      fix: 'remove the distribution, or give each cluster its own region',
    });
  });
}

/** A version's pods, and those behind a gateway, only get calls where the shares leave them some. */
function shareProblems(
  findings: Findings,
  { routed }: Placed,
  distribution: Mapping,
  from: string,
  to: Readonly<Record<string, number>>,
): void {
  const path = `distribution.${from}`;
  for (const { version, placement } of routed) {
    if (placement.some((cluster) => (own(to, cluster) ?? 0) > 0)) continue;
    findings.add(path, {
      what: `leaves calls to version ${version} without a pod, because it runs only in ${placement.join(', ')}`,
      received: to,
      fix: `give ${placement.join(' or ')} a share, or send no calls to ${version}`,
    });
  }
  const giver = Object.entries(distribution).find(
    ([name, shares]) =>
      name !== from && (own((shares as Readonly<Record<string, number>> | null) ?? {}, from) ?? 0) > 0,
  );
  if (giver === undefined || (own(to, from) ?? 0) > 0) return;
  findings.add(path, {
    what:
      `gives ${from} itself no share, while distribution.${giver[0]} sends it calls: ` +
      `its east-west gateway uses the same shares, and would have no pod to forward them to`,
    received: to,
    fix: `give ${from} a share here, or none there`,
  });
}

function mappingOfClusters(
  findings: Findings,
  path: string,
  value: unknown,
  names: readonly string[],
): Mapping | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    findings.add(path, {
      what: 'is not an object with clusters as keys',
      received: value,
      allowed: names.join(', '),
    });
    return undefined;
  }
  for (const name of Object.keys(value)) {
    if (!names.includes(name)) findings.unknown(path, 'the mesh has no such cluster', name, names);
  }
  return Object.fromEntries(Object.entries(value).filter(([name]) => names.includes(name)));
}

function clusterProblem(
  findings: Findings,
  path: string,
  { placement, clusters }: Placed,
  list: readonly unknown[],
  cluster: unknown,
  from: string,
): void {
  const names = clusters.map(({ name }) => name);
  if (!names.some((name) => name === cluster)) {
    findings.unknown(path, 'the mesh has no such cluster', cluster, names);
  } else if (cluster === from) {
    const what = 'a cluster cannot fail over to itself';
    findings.add(path, { what, received: cluster, fix: 'remove it' });
  } else if (!placement.some((name) => name === cluster)) {
    findings.unknown(path, 'the service does not run there', cluster, placement);
  } else if (list.indexOf(cluster) !== list.lastIndexOf(cluster)) {
    findings.add(path, { what: 'the cluster is listed twice', received: cluster, fix: 'remove one' });
  }
}

/**
 * Istio tries a caller's own region first, then one more region, then all others alike; the order has to say so, with
 * every cluster of a region it names.
 */
function regionProblems(
  findings: Findings,
  path: string,
  placed: Placed,
  from: string,
  list: readonly string[],
): void {
  const home = regionOf(placed, from);
  const regions = list.map((cluster) => regionOf(placed, cluster));
  const ranked = [...new Set(regions)].filter((region) => region !== home);
  list.forEach((received, index) => {
    const region = regions[index] ?? '';
    if (
      index === 0 ||
      regions[index - 1] === region ||
      (region !== home && regions.indexOf(region) === index)
    ) {
      return;
    }
    findings.add(
      path,
      region === home
        ? {
            what: `is in the region of ${from} itself, ${home}, whose clusters Istio always tries first`,
            received,
            fix: 'put it first',
          }
        : {
            what: `is in region ${region}, like one earlier in the list: Istio treats the clusters of a region alike`,
            received,
            fix: 'list the two next to each other',
          },
    );
  });
  const missing = (region: string) =>
    placed.placement.filter(
      (name) =>
        name !== from &&
        !areAlike(placed, from, name) &&
        !list.includes(name) &&
        regionOf(placed, name) === region,
    );
  const [before, after] = [missing(home), ranked.flatMap(missing)];
  if (before.length > 0) {
    const what = `leaves out ${before.join(', ')}, in the region of ${from} itself, ${home}, whose clusters Istio always tries first`;
    findings.add(path, { what, received: list, fix: `begin with ${before.join(', ')}` });
  }
  for (const cluster of after) {
    const region = regionOf(placed, cluster);
    const what = `leaves out ${cluster} in region ${region}: Istio treats the clusters of a region alike`;
    const rival = list[regions.indexOf(region)] ?? '';
    findings.add(path, { what, received: list, fix: `add ${cluster} after ${rival}` });
  }
  const others = new Set(placed.placement.map((name) => regionOf(placed, name)));
  others.delete(home);
  if (ranked.length > 1 && others.size > 2) {
    findings.add(path, {
      what: `Istio can put only one region before the others, and cannot rank ${ranked.length} of ${others.size} regions`,
      received: list,
      fix: `list no cluster outside region ${ranked[0] ?? ''}`,
    });
  }
}

function areAlike({ clusters }: Placed, from: string, other: string): boolean {
  const [home, away] = [from, other].map((name) => clusters.find((one) => one.name === name));
  return home !== undefined && away !== undefined && isAlike(home, away);
}

function regionOf({ clusters }: Placed, cluster: string): string {
  return clusters.find(({ name }) => name === cluster)?.region ?? '';
}
