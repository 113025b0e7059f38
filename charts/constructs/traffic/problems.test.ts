import { describe, expect, test } from '@jest/globals';
import { CatalogService } from '../../../gen/test/catalog/v1/catalog_pb.js';
import { InventoryService } from '../../../gen/test/inventory/v1/inventory_pb.js';
import { OrdersService } from '../../../gen/test/orders/v1/orders_pb.js';
import { problemsOf } from '../../testing/mesh.ts';
import { withProject } from '../../testing/project.ts';
import { GrpcService } from '../workload/grpc-service.ts';
import { Mesh } from '../mesh.ts';
import { lab } from '../../platforms.ts';
import { Findings } from './findings.ts';
import { TrafficPolicy } from './traffic-policy.ts';
import { clusters, said, tester, weights } from '../../testing/inventory-policy.ts';
import type { Declared } from '../../testing/inventory-policy.ts';

test('nothing is said of a policy that is right', () => {
  const policy = ({ inventory: { method } }: Declared) => ({
    failover: { a: ['b', 'c'], f: ['a'], b: ['c', 'd'], c: ['b'] },
    weights: { v1: 60, v2: 40, idle: 0 },
    rules: [
      { method: method.reserve, timeoutMs: 1000, retries: { attempts: 1, perTryTimeoutMs: 400 } },
      { method: method.reserve, metadata: { 'x-a': { regex: '(?i)a[0-9]{2}|b' } }, to: 'v2' },
      { method: method.getStock, mirror: { to: 'v2', percent: 0.1 } },
      { method: method.importStock, fault: { status: 'ABORTED', percent: 100 } },
    ],
    connections: { maxRequests: 1 },
    outliers: { maxEjectionPercent: 100 },
  });
  expect(said(policy)).toEqual([]);
});

describe('failover', () => {
  test('of clusters that are not there, or where the service is not', () => {
    expect(said(() => ({ failover: { aa: ['b'], a: ['a', 'f', 'x', 'd', 'd'], b: [], c: 'a' } }))).toEqual([
      'failover: the mesh has no such cluster; received "aa"; allowed a, b, c, d, e, f; fix: did you mean a?',
      'failover.a: a cluster cannot fail over to itself; received "a"; fix: remove it',
      'failover.a: the service does not run there; received "f"; allowed a, b, c, d, e; fix: did you mean a?',
      'failover.a: the mesh has no such cluster; received "x"; allowed a, b, c, d, e, f; fix: did you mean a?',
      'failover.a: the cluster is listed twice; received "d"; fix: remove one',
      'failover.b: lists no cluster to fail over to; received []; fix: name one, or leave b out',
      'failover.c: is not a list; received "a"',
    ]);
  });

  test('that Istio cannot do', () => {
    const failover = { b: ['c', 'd'], c: ['b', 'a'], a: ['b', 'd', 'c'], d: ['e', 'a', 'b', 'c'] };
    expect(said(() => ({ failover }))).toEqual([
      'failover.c: differs from failover.b, which is in the same region r2: Istio fails over by region; received ["b","a"]; ' +
        'fix: give both the same clusters',
      'failover.a: is in region r2, like one earlier in the list: Istio treats the clusters of a region alike; received "c"; ' +
        'fix: list the two next to each other',
      'failover.a: Istio can put only one region before the others, and cannot rank 2 of 3 regions; received ["b","d","c"]; ' +
        'fix: list no cluster outside region r2',
      'failover.d: Istio can put only one region before the others, and cannot rank 3 of 3 regions; received ["e","a","b","c"]; ' +
        'fix: list no cluster outside region r4',
    ]);
  });

  test('that leaves out, or puts last, clusters of a region that Istio tries before', () => {
    expect(said(() => ({ failover: { a: ['b'], b: ['d'], c: ['d', 'b'], f: ['a'] } }))).toEqual([
      'failover.a: leaves out c in region r2: Istio treats the clusters of a region alike; received ["b"]; fix: add c after b',
      'failover.b: leaves out c, in the region of b itself, r2, whose clusters Istio always tries first; received ["d"]; ' +
        'fix: begin with c',
      'failover.c: is in the region of c itself, r2, whose clusters Istio always tries first; received "b"; fix: put it first',
    ]);
  });
});

describe('D8: failover between clusters of one place', () => {
  test('changes nothing, so it is refused', () => {
    expect(said(() => ({ failover: { f: ['e', 'a'] } }))).toEqual([
      'failover.f: is in r4/z5, like f itself: Istio spreads calls evenly over both, and does not fail over between them; ' +
        'received "e"; fix: remove it, or give each cluster its own zone',
    ]);
  });

  test('need not be named to fail over to another', () => {
    expect(said(() => ({ failover: { f: ['a'] } }))).toEqual([]);
  });
});

test('a distribution that is incomplete, does not add up, or that Istio cannot tell apart', () => {
  const distribution = { a: { a: 70, b: 20 }, b: { f: 100 }, c: { a: 1.5, b: 98.5 }, d: { a: '100' } };
  expect(said(() => ({ distribution, failover: { a: ['b', 'c'] } }))).toEqual([
    'distribution: has no shares for calls made in e, which Istio would then spread evenly over all pods of all clusters; ' +
      'fix: add e: { a: 100 }, or other shares',
    'distribution: has no shares for calls made in f, which Istio would then spread evenly over all pods of all clusters; ' +
      'fix: add f: { a: 100 }, or other shares',
    'distribution.a: the shares add up to 90; received {"a":70,"b":20}; allowed a sum of 100',
    'distribution.b.f: unknown key; received "f"; allowed a, b, c, d, e; fix: did you mean a?',
    'distribution.c.a: is not a percentage; received 1.5; allowed a whole number from 0 to 100',
    'distribution.c.b: is not a percentage; received 98.5; allowed a whole number from 0 to 100',
    'distribution.d.a: is not a percentage; received "100"; allowed a whole number from 0 to 100',
    'distribution: cannot tell f from e: Istio distributes by region and zone, and both are in r4/z5; ' +
      'fix: remove the distribution, or give each cluster its own zone',
    'distribution: cannot be combined with failover: Istio does one or the other; fix: remove one of the two',
  ]);
});

test('weights that are computed are taken as they are meant', () => {
  const refused = Array.from({ length: 9_999 }, (_, index) => (index + 1) / 100).filter((share) => {
    const findings = new Findings('demo/shop/inventory/traffic');
    findings.shares('weights', { v1: 100 - share, v2: share, idle: 0 }, 100);
    return findings.problems.length > 0;
  });
  expect(refused).toEqual([]);
});

test.each([
  [
    { v1: 100 },
    [
      'weights: leaves out version v2; fix: add v2: 0, or its share',
      'weights: leaves out version idle; fix: add idle: 0, or its share',
    ],
  ],
  [
    { v1: 90, v2: 20, idle: 0 },
    ['weights: the shares add up to 110; received {"v1":90,"v2":20,"idle":0}; allowed a sum of 100'],
  ],
  [{ v1: 99.99, v2: 0.01, idle: 0 }, []],
  [{ v1: 70.1, v2: 29.9, idle: 0 }, []],
  [
    { v1: 99.99, v2: 0.02, idle: 0 },
    ['weights: the shares add up to 100.01; received {"v1":99.99,"v2":0.02,"idle":0}; allowed a sum of 100'],
  ],
  [
    { v1: 99.995, v2: 0.005, idle: 0 },
    [
      'weights.v1: is not a percentage; received 99.995; allowed a number from 0 to 100, of two decimals at most',
      'weights.v2: is not a percentage; received 0.005; allowed a number from 0 to 100, of two decimals at most',
    ],
  ],
  [
    { v1: 90, v2: 0, idle: 10 },
    [
      'weights.idle: the version runs nowhere, as it has 0 replicas; received 10; fix: give it replicas, or no share',
    ],
  ],
  [
    { v1: 100, v2: 0, idle: 0, v3: 0 },
    ['weights.v3: unknown key; received "v3"; allowed v1, v2, idle; fix: did you mean v1?'],
  ],
  [[], ['weights: is not an object; received []; allowed an object with the keys v1, v2, idle']],
])('weights %j', (wrong, expected) => {
  expect(said(() => ({ weights: wrong }))).toEqual(expected);
});

test('limits, unknown keys and what is not an object', () => {
  expect(
    said(() => ({
      rule: [],
      connections: { maxRequests: 0, maxConnections: 5 },
      outliers: { maxEjectionPercent: 101, intervalSeconds: 0.5 },
      rules: {},
    })),
  ).toEqual([
    'rule: unknown key; received "rule"; allowed failover, distribution, weights, rules, connections, outliers; fix: did you mean rules?',
    'rules: is not a list; received {}',
    'connections.maxConnections: unknown key; received "maxConnections"; ' +
      'allowed maxRequests, maxPendingRequests, maxRequestsPerConnection, idleTimeoutSeconds; ' +
      'fix: remove it; a construct of your own that reads it passes on the other properties only',
    'connections.maxRequests: is not a valid number; received 0; allowed a whole number from 1 to 2147483647',
    'outliers.intervalSeconds: is not a valid number; received 0.5; allowed a whole number from 1 to 86400',
    'outliers.maxEjectionPercent: is not a valid number; received 101; allowed a whole number from 1 to 100',
  ]);
});

test('connections that rest longer than proxies keep unused ones, where there is a port for HTTP', () => {
  withProject({}, (root) => {
    const mesh = new Mesh('demo', { root, trustDomain: 'demo.example', clusters, platform: lab });
    const shop = mesh.namespace('shop');
    const catalog = new GrpcService(shop, 'catalog', { app: 'apps/catalog', service: CatalogService });
    const orders = new GrpcService(shop, 'orders', { app: 'apps/orders', service: OrdersService });
    const connections = { idleTimeoutSeconds: 20 };
    new TrafficPolicy(catalog, 'traffic', { connections });
    new TrafficPolicy(orders, 'traffic', { connections });
    expect(problemsOf(mesh)).toEqual([
      'demo/shop/catalog/traffic: connections.idleTimeoutSeconds: is not a valid number; received 20; allowed a whole number from 1 to 19',
    ]);
  });
});

test('a second policy of a service, and one of something else', () => {
  withProject({}, (root) => {
    const mesh = new Mesh('demo', { root, trustDomain: 'demo.example', clusters, platform: lab });
    const shop = mesh.namespace('shop');
    const orders = new GrpcService(shop, 'orders', { app: 'apps/orders', service: OrdersService });
    new TrafficPolicy(orders, 'traffic', {});
    new TrafficPolicy(orders, 'more', {});
    new TrafficPolicy(shop as never, 'stray', undefined as never);
    expect(problemsOf(mesh)).toEqual([
      'demo/shop/orders/more: the service already has a traffic policy, demo/shop/orders/traffic, and Istio does not merge them; ' +
        'fix: declare everything there',
      'demo/shop/stray: a traffic policy belongs to a GrpcService; fix: pass the service as its scope',
    ]);
  });
});

test('a service in the place of one of its methods is shown by its path', () => {
  const allowed =
    'allowed SERVICE.method.NAME, where NAME is one of getStock, reserve, importStock, syncStock';
  expect(said(({ inventory }) => ({ rules: [{ method: inventory, timeoutMs: 1000 }] }))).toEqual([
    `rules[0].method: is not a method of the service; received "demo/shop/inventory"; ${allowed}`,
  ]);
});

describe('a distribution that leaves calls without a pod', () => {
  const two = { east: clusters['a'], west: clusters['d'] } as Record<string, (typeof clusters)[string]>;
  const distributed = (
    distribution: object,
    props: (service: Declared['inventory']) => object = () => ({}),
  ) =>
    withProject({}, (root) => {
      const mesh = new Mesh('demo', { root, trustDomain: 'demo.example', clusters: two, platform: lab });
      const inventory = new GrpcService(mesh.namespace('shop'), 'inventory', {
        app: 'apps/inventory',
        service: InventoryService,
        versions: { v1: {}, v2: { placement: ['west'] }, idle: { replicas: 0 } },
      });
      new TrafficPolicy(inventory, 'traffic', { distribution, ...props(inventory) } as object);
      const where = 'demo/shop/inventory/traffic: ';
      return problemsOf(mesh).map((line) => line.replace(where, ''));
    });
  const local = { east: { east: 100 }, west: { west: 100 } };
  const v2 = [
    'distribution.east: leaves calls to version v2 without a pod, because it runs only in west; received {"east":100}; ' +
      'fix: give west a share, or send no calls to v2',
  ];

  test('of a version that runs elsewhere, by its weight, by a rule or as a mirror', () => {
    expect(distributed(local, () => ({ weights }))).toEqual([]);
    expect(distributed(local)).toEqual([]);
    expect(distributed(local, () => ({ weights: { v1: 90, v2: 10, idle: 0 } }))).toEqual(v2);
    expect(distributed(local, () => ({ weights, rules: [{ metadata: tester, to: 'v2' }] }))).toEqual(v2);
    expect(
      distributed(local, ({ method }) => ({
        weights,
        rules: [{ method: method.getStock, mirror: { to: 'v2' } }],
      })),
    ).toEqual(v2);
    const both = { east: { east: 99, west: 1 }, west: { west: 100 } };
    expect(distributed(both, () => ({ weights: { v1: 90, v2: 10, idle: 0 } }))).toEqual([]);
  });

  test('behind a gateway that goes by the shares of its own cluster', () => {
    expect(distributed({ east: { west: 100 }, west: { west: 100 } })).toEqual([]);
    expect(distributed({ east: { west: 100 }, west: { east: 100 } })).toEqual([
      'distribution.east: gives east itself no share, while distribution.west sends it calls: ' +
        'its east-west gateway uses the same shares, and would have no pod to forward them to; received {"west":100}; ' +
        'fix: give east a share here, or none there',
      'distribution.west: gives west itself no share, while distribution.east sends it calls: ' +
        'its east-west gateway uses the same shares, and would have no pod to forward them to; received {"east":100}; ' +
        'fix: give west a share here, or none there',
    ]);
  });
});
