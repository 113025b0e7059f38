import { describe, expect, test } from '@jest/globals';
import { lab } from '../../platforms.ts';
import { synthesize } from '../../synth.ts';
import { expectGolden } from '../../testing/golden.ts';
import { catalogIn, objectOf, objectsOf, problemsOf } from '../../testing/mesh.ts';
import { withProject } from '../../testing/project.ts';
import { Mesh } from '../mesh.ts';
import type { ClusterProps } from '../scope/cluster.ts';
import { destinationRule, grpcOutliers } from './destination-rule.ts';
import { isAlike, placesOf } from './locality.ts';
import type { TrafficPolicyProps } from './props.ts';
import { TrafficPolicy } from './traffic-policy.ts';

type Name = 'a' | 'b' | 'c';
type Policy = TrafficPolicyProps<Name, 'v1'>;
const at = (region: string, ...zones: string[]): ClusterProps => ({
  network: `net-${region}-${zones.join('')}`,
  region,
  ...(zones.length === 1 ? { zone: zones[0] ?? '' } : { zones }),
});

/** The catalog in clusters at these places. */
function meshOf(root: string, clusters: Readonly<Record<Name, ClusterProps>>, policy?: Policy) {
  const mesh = new Mesh('demo', { root, trustDomain: 'demo.example', clusters, platform: lab });
  const catalog = catalogIn(mesh.namespace('shop'));
  if (policy !== undefined) new TrafficPolicy(catalog, 'traffic', policy);
  return mesh;
}
const problems = (clusters: Readonly<Record<Name, ClusterProps>>, policy?: Policy) =>
  withProject({}, (root) => problemsOf(meshOf(root, clusters, policy)));

/** A region for each cluster, one of them over three zones. */
const apart = { a: at('r1', 'r1-x', 'r1-y', 'r1-z'), b: at('r2', 'r2-x'), c: at('r3', 'r3-x', 'r3-y') };
/** Two clusters in one region. */
const beside = { a: at('r1', 'r1-x', 'r1-y'), b: at('r1', 'r1-z'), c: at('r2', 'r2-x') };
const all = (shares: Partial<Record<Name, number>>) => ({ a: shares, b: shares, c: shares });

describe('clusters over several zones', () => {
  test('fail over by region and share by region, whatever zone a caller is in', () => {
    withProject({}, (root) => {
      const settingOf = (policy?: Policy) => {
        const rendered = synthesize(meshOf(root, apart, policy));
        const rule = objectOf(rendered, 'a', 'DestinationRule', 'catalog')?.['spec'];
        return (rule as { readonly trafficPolicy: { readonly loadBalancer: object } }).trafficPolicy
          .loadBalancer;
      };
      expect(settingOf({ failover: { a: ['c'], b: ['a'], c: ['a'] } })).toMatchObject({
        localityLbSetting: {
          failover: [
            { from: 'r1', to: 'r3' },
            { from: 'r2', to: 'r1' },
            { from: 'r3', to: 'r1' },
          ],
        },
      });
      expect(settingOf({ distribution: all({ a: 70, b: 10, c: 20 }) })).toMatchObject({
        localityLbSetting: {
          distribute: ['r1', 'r2', 'r3'].map((from) => ({ from, to: { r1: 70, r2: 10, r3: 20 } })),
        },
      });
      expectGolden(
        import.meta.url,
        'zones',
        objectsOf(synthesize(meshOf(root, apart, { failover: { a: ['c'] } })), 'a').filter(
          ({ kind, metadata }) => kind === 'DestinationRule' && metadata.name === 'catalog',
        ),
      );
      // The lab's nodes, and what the drivers read, have the first one.
      const mesh = meshOf(root, apart).model();
      expect(mesh.clusters.map(({ zone }) => zone)).toEqual(['r1-x', 'r2-x', 'r3-x']);
      expect(mesh.workloads[0]).toMatchObject({ local: true });
    });
  });

  test('callers of each zone get the shares where clusters without several zones of the region serve them', () => {
    const clusters = Object.entries(beside).map(([name, props]) => ({ name, ...props }));
    const service = { host: 'x', placement: ['b', 'c'], clusters, outliers: grpcOutliers, http: false };
    const policy = { distribution: all({ b: 40, c: 60 }) };
    expect(
      destinationRule({ ...service, policy }).trafficPolicy?.loadBalancer?.localityLbSetting?.distribute,
    ).toEqual(
      ['r1/r1-x', 'r1/r1-y', 'r1/r1-z', 'r2'].map((from) => ({ from, to: { 'r1/r1-z': 40, r2: 60 } })),
    );
  });

  test('one cluster of several zones is one place: nobody says that its pods are in more than one', () => {
    const named = (clusters: Readonly<Record<Name, ClusterProps>>) =>
      Object.entries(clusters).map(([name, props]) => ({ name, ...props }));
    expect(placesOf(['a'], named(apart))).toBe(1);
    expect(placesOf(['a', 'b', 'c'], named(apart))).toBe(3);
    expect(placesOf(['a', 'b'], named(beside))).toBe(2);
    const chain = { a: at('r1', 'x', 'y'), b: at('r1', 'z'), c: at('r1', 'y', 'z') };
    expect(placesOf(['a', 'b'], named(chain))).toBe(2);
    expect(placesOf(['a', 'b', 'c'], named(chain))).toBe(1);
    const [one, other] = named(beside);
    expect([isAlike(one!, other!), isAlike(other!, one!)]).toEqual([true, false]);
  });

  test('in one region are not ranked, and a caller need not get pods of its own cluster', () => {
    expect(problems(beside, { failover: { a: ['b', 'c'] } })).toEqual([
      'demo/shop/catalog/traffic: failover.a: is in r1, like a itself, which has several zones there: from one without healthy pods, Istio spreads calls evenly over all other zones of the region; ' +
        'received "b"; fix: remove it, or give each cluster its own region',
    ]);
    expect(problems(beside, { failover: { a: ['c'], b: ['a', 'c'] } })).toEqual([]);
    withProject({}, (root) => {
      expect(meshOf(root, beside).model().workloads[0]).toMatchObject({ local: false });
    });
  });

  test('in one region cannot get a share', () => {
    expect(problems(beside, { distribution: all({ a: 50, b: 20, c: 30 }) })).toEqual([
      'demo/shop/catalog/traffic: distribution: cannot give a a share: it has several zones of a region that another cluster is in, too, and Istio distributes to regions or to single zones; ' +
        'received ["r1/r1-x","r1/r1-y"]; fix: remove the distribution, or give each cluster its own region',
    ]);
    const shared = { ...beside, b: at('r1', 'r1-y') };
    expect(problems(shared, { distribution: all({ a: 50, b: 20, c: 30 }) })[1]).toBe(
      'demo/shop/catalog/traffic: distribution: cannot tell b from a: Istio distributes by region and zone, and both are in r1/r1-y; fix: remove the distribution, or give each cluster its own zone',
    );
  });

  test.each<[string, object, readonly string[]]>([
    [
      'both',
      { zone: 'x', zones: ['x'] },
      ['cannot be combined with zone; received ["x"]; fix: keep one of them'],
    ],
    [
      'no list',
      { zones: 'x' },
      [
        'is not a list of zones; received "x"; allowed a list of one zone or more, such as [eu-west1-b, eu-west1-c]',
      ],
    ],
    [
      'none',
      { zones: [] },
      [
        'is not a list of zones; received []; allowed a list of one zone or more, such as [eu-west1-b, eu-west1-c]',
      ],
    ],
    [
      'wrong ones',
      { zones: ['x', 'x', 7, '-'] },
      [
        'the zone is listed twice; received "x"; fix: remove one',
        ...['7', '"-"'].map(
          (received) =>
            `a zone cannot be the value of a label; received ${received}; allowed 1 to 63 letters, digits, hyphens, underscores and dots, starting and ending with a letter or digit`,
        ),
      ],
    ],
  ])('are refused with %s', (_, wrong, messages) => {
    const a = { network: 'n', region: 'r1', ...wrong } as unknown as ClusterProps;
    expect(problems({ ...apart, a })).toEqual(
      messages.map((message) => `demo: clusters.a.zones: ${message}`),
    );
  });
});
