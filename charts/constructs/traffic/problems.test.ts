import { describe, expect, test } from '@jest/globals';
import { CatalogService } from '../../../gen/shop/catalog/v1/catalog_pb.js';
import { InventoryService } from '../../../gen/shop/inventory/v1/inventory_pb.js';
import { OrdersService } from '../../../gen/shop/orders/v1/orders_pb.js';
import { problemsOf } from '../../testing/mesh.ts';
import { withProject } from '../../testing/project.ts';
import { GrpcService } from '../grpc-service.ts';
import { Mesh } from '../mesh.ts';
import { lab } from '../../platforms.ts';
import { TrafficPolicy } from './traffic-policy.ts';

/** Six clusters: b and c share a region, and e and f also a zone. */
const clusters = Object.fromEntries(
  [
    ['a', 'r1', 'z1'],
    ['b', 'r2', 'z2'],
    ['c', 'r2', 'z3'],
    ['d', 'r3', 'z4'],
    ['e', 'r4', 'z5'],
    ['f', 'r4', 'z5'],
  ].map(([name, region, zone]) => [name, { network: `net-${name}`, region, zone }]),
) as Record<string, { network: string; region: string; zone: string }>;

interface Declared {
  readonly inventory: GrpcService<typeof InventoryService, string, 'v1' | 'v2' | 'idle'>;
  readonly orders: GrpcService<typeof OrdersService, string>;
  readonly catalog: GrpcService<typeof CatalogService, string>;
}

/** What synth says of a policy of the inventory, which does not run in f; without where it is. */
function said(props: (declared: Declared) => object): readonly string[] {
  return withProject({}, (root) => {
    const mesh = new Mesh('demo', { root, trustDomain: 'demo.example', clusters, platform: lab });
    const shop = mesh.namespace('shop');
    const declared = {
      inventory: new GrpcService(shop, 'inventory', {
        app: 'apps/inventory',
        service: InventoryService,
        placement: ['a', 'b', 'c', 'd', 'e'],
        versions: { v1: {}, v2: {}, idle: { replicas: 0 } },
      }),
      orders: new GrpcService(shop, 'orders', { app: 'apps/orders', service: OrdersService }),
      catalog: new GrpcService(shop, 'catalog', { app: 'apps/catalog', service: CatalogService }),
    };
    new TrafficPolicy(declared.inventory, 'traffic', props(declared));
    const where = 'demo/shop/inventory/traffic: ';
    return problemsOf(mesh).map((line) => (line.startsWith(where) ? line.slice(where.length) : line));
  });
}

const weights = { v1: 100, v2: 0, idle: 0 };
const tester = { tester: { exact: '1' } };

test('nothing is said of a policy that is right', () => {
  const policy = ({ inventory: { method } }: Declared) => ({
    failover: { a: ['b', 'c'], f: ['e', 'a'], b: ['c', 'd'], c: ['b'] },
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
      'failover.b: names no cluster to go to; received []; fix: name one, or leave b out',
      'failover.c: is no list; received "a"',
    ]);
  });

  test('that Istio cannot do', () => {
    const failover = { b: ['c', 'd'], c: ['b', 'a'], a: ['b', 'd', 'c'], d: ['e', 'a', 'b', 'c'] };
    expect(said(() => ({ failover }))).toEqual([
      'failover.c: differs from failover.b, which is in the same region r2: Istio fails over by region; received ["b","a"]; ' +
        'fix: give both the same clusters',
      'failover.a: is in region r2, like one before it: Istio tries the clusters of a region alike; received "c"; ' +
        'fix: put the two side by side',
      'failover.a: Istio ranks one region before all others, and cannot keep an order of 2 among 3; received ["b","d","c"]; ' +
        'fix: name no region after r2',
      'failover.d: Istio ranks one region before all others, and cannot keep an order of 3 among 3; received ["e","a","b","c"]; ' +
        'fix: name no region after r4',
    ]);
  });

  test('that leaves out, or puts last, clusters of a region that Istio tries before', () => {
    expect(said(() => ({ failover: { a: ['b'], b: ['d'], c: ['d', 'b'], f: ['a'] } }))).toEqual([
      'failover.a: leaves out c in region r2: Istio tries the clusters of a region alike; received ["b"]; fix: add c after b',
      'failover.b: leaves out c, in the region of b itself, r2, whose clusters Istio always tries first; received ["d"]; ' +
        'fix: begin with c',
      'failover.c: is in the region of c itself, r2, whose clusters Istio always tries first; received "b"; fix: put it first',
      'failover.f: leaves out e, in the region of f itself, r4, whose clusters Istio always tries first; received ["a"]; ' +
        'fix: begin with e',
    ]);
  });
});

test('a distribution that is incomplete, does not add up, or that Istio cannot tell apart', () => {
  const distribution = { a: { a: 70, b: 20 }, b: { f: 100 }, c: { a: 1.5, b: 98.5 }, d: { a: '100' } };
  expect(said(() => ({ distribution, failover: { a: ['b', 'c'] } }))).toEqual([
    'distribution: says nothing of calls made in e, which Istio would then spread over all pods of all clusters alike; ' +
      'fix: add e: { a: 100 }, or other shares',
    'distribution: says nothing of calls made in f, which Istio would then spread over all pods of all clusters alike; ' +
      'fix: add f: { a: 100 }, or other shares',
    'distribution.a: the shares add up to 90; received {"a":70,"b":20}; allowed a sum of 100',
    'distribution.b.f: unknown key; received "f"; allowed a, b, c, d, e; fix: did you mean a?',
    'distribution.c.a: is no share; received 1.5; allowed a whole number from 0 to 100',
    'distribution.c.b: is no share; received 98.5; allowed a whole number from 0 to 100',
    'distribution.d.a: is no share; received "100"; allowed a whole number from 0 to 100',
    'distribution: cannot tell f from e: Istio distributes by region and zone, and both are in r4/z5; ' +
      'fix: leave the distribution out',
    'distribution: excludes failover: Istio does one or the other; fix: remove one of the two',
  ]);
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
  [[], ['weights: is no mapping; received []; allowed a mapping with the keys v1, v2, idle']],
])('weights %j', (wrong, expected) => {
  expect(said(() => ({ weights: wrong }))).toEqual(expected);
});

describe('rules', () => {
  const rules = (of: (declared: Declared) => readonly unknown[]) =>
    said((declared) => ({ weights, rules: of(declared) }));

  test('for streams, and for methods of which the proto says too little', () => {
    expect(
      rules(({ inventory: { method } }) => [
        { method: method.syncStock, timeoutMs: 100, retries: { attempts: 1 } },
        { method: method.importStock, mirror: { to: 'v2' } },
        { method: method.reserve, mirror: { to: 'v2' } },
        { metadata: tester, timeoutMs: 5 },
      ]),
    ).toEqual([
      'rules[0].timeoutMs: SyncStock is bidirectional streaming: only calls of unary methods have a timeout, retries or a mirror; fix: remove it',
      'rules[0].retries: SyncStock is bidirectional streaming: only calls of unary methods have a timeout, retries or a mirror; fix: remove it',
      'rules[1].mirror: ImportStock is client streaming: only calls of unary methods have a timeout, retries or a mirror; fix: remove it',
      'rules[2].mirror: the proto does not say that Reserve has no side effects, which a mirrored call would have twice; ' +
        'fix: if it has none, declare it there: option idempotency_level = NO_SIDE_EFFECTS; otherwise remove the mirror',
      'rules[3].timeoutMs: needs a method: what is right depends on what its proto says; ' +
        'fix: add a method, or say it in a rule of the method alone',
    ]);
  });

  test('retries of a method that may not be repeated', () => {
    const lines = withProject({}, (root) => {
      const mesh = new Mesh('demo', { root, trustDomain: 'demo.example', clusters, platform: lab });
      const orders = new GrpcService(mesh.namespace('shop'), 'orders', {
        app: 'apps/orders',
        service: OrdersService,
      });
      const rule = { method: orders.method.createOrder, retries: { attempts: 2 } };
      new TrafficPolicy(orders, 'traffic', { rules: [rule] });
      return problemsOf(mesh);
    });
    expect(lines).toEqual([
      'demo/shop/orders/traffic: rules[0].retries: the proto does not say that CreateOrder may be repeated; ' +
        'fix: if it may, declare it there: option idempotency_level = IDEMPOTENT, or NO_SIDE_EFFECTS; otherwise remove the retries',
    ]);
  });

  test('of unknown methods and versions, or for no calls', () => {
    expect(
      rules(({ inventory: { method }, orders, catalog }) => [
        { method: (method as Record<string, unknown>)['reserv'], to: 'v2' },
        { method: orders.method.getOrder, to: 'v2' },
        { method: (catalog.method as Record<string, unknown>)['reserve'], to: 'v2' },
        { method: 'reserve', to: 'v3' },
        { method: method.reserve, to: 'idle' },
        { to: 'v2' },
        { method: method.getStock },
        null,
        { method: method.syncStock, timeout: 5, to: 'v2' },
        { method: method.getStock, mirror: { percent: 101 } },
        { method: method.getStock, metadata: tester, to: 'v2', mirror: { to: 'v2' } },
        { method: method.getStock, mirror: { to: 'v1' } },
      ]),
    ).toEqual([
      'rules[0].method: demo/shop/inventory has no such method; received "reserv"; ' +
        'allowed getStock, reserve, importStock, syncStock; fix: did you mean reserve?',
      'rules[1].method: is a method of another service, demo/shop/orders; received "getOrder"; ' +
        'allowed getStock, reserve, importStock, syncStock; fix: put the rule into a TrafficPolicy of that service',
      'rules[2].method: is no method of the service; received "reserve"; ' +
        'allowed SERVICE.method.NAME, NAME one of getStock, reserve, importStock, syncStock',
      'rules[3].method: is no method of the service; received "reserve"; ' +
        'allowed SERVICE.method.NAME, NAME one of getStock, reserve, importStock, syncStock',
      'rules[3].to: the service has no such version; received "v3"; allowed v1, v2, idle; fix: did you mean v1?',
      'rules[4].to: the version runs nowhere, as it has 0 replicas; received "idle"; fix: give it replicas',
      'rules[5]: says not for which calls it is; fix: add a method, metadata, or both',
      'rules[6]: does nothing; fix: add one of timeoutMs, retries, to, fault, mirror',
      'rules[7]: is no mapping; received null; allowed a mapping with the keys method, metadata, timeoutMs, retries, to, fault, mirror',
      'rules[8].timeout: unknown key; received "timeout"; allowed method, metadata, timeoutMs, retries, to, fault, mirror; fix: did you mean timeoutMs?',
      'rules[9].mirror.to: is missing',
      'rules[9].mirror.percent: is no share of the calls; received 101; allowed from 0.0001 to 100',
      'rules[10].mirror.to: is where the calls go anyway; received "v2"',
      'rules[11].mirror.to: is where the calls go anyway; received "v1"',
      'rules[11].mirror: is said by rules[9] already; fix: keep one',
    ]);
  });

  test('with metadata that cannot be sent or matched', () => {
    expect(
      rules(() => [
        { metadata: { 'X-Canary': { exact: '1' } }, to: 'v2' },
        { metadata: { 'user-bin': { exact: '1' } }, to: 'v2' },
        { metadata: { 'grpc-timeout': { prefix: '1' } }, to: 'v2' },
        { metadata: { a: { exact: '1', prefix: '1' }, b: { exact: '' }, c: '1', d: {} }, to: 'v2' },
        { metadata: { a: { regex: '(?=x)' }, b: { regex: '(' }, c: { regex: String.raw`(a)\1` } }, to: 'v2' },
        { metadata: {}, to: 'v2' },
        { metadata: 'x', to: 'v2' },
      ]),
    ).toEqual([
      'rules[0].metadata: is no name of metadata; received "X-Canary"; allowed 1 to 128 of a-z, 0-9, underscore, dot and hyphen; fix: write x-canary',
      'rules[1].metadata: holds bytes, which are on the wire as base64 and cannot be matched; received "user-bin"; ' +
        'fix: send what routes depend on as text, under a name without -bin',
      'rules[2].metadata: is kept by gRPC for itself; received "grpc-timeout"; fix: use a name of your own',
      'rules[3].metadata.a: is not one way to match; received {"exact":"1","prefix":"1"}; allowed exact, prefix, regex',
      'rules[3].metadata.b.exact: is no value of metadata; received ""; allowed text of printable ASCII characters, at least one',
      'rules[3].metadata.c: is no mapping; received "1"; allowed a mapping with the keys exact, prefix, regex',
      'rules[3].metadata.d: is not one way to match; received {}; allowed exact, prefix, regex',
      'rules[4].metadata.a.regex: uses lookaround or a back reference, which RE2 does not have; received "(?=x)"',
      'rules[4].metadata.b.regex: is no RE2 expression: it has a ( without its ); received "("',
      String.raw`rules[4].metadata.c.regex: uses lookaround or a back reference, which RE2 does not have; received "(a)\\1"`,
      'rules[5].metadata: names no metadata; received {}; fix: name some, or leave it out',
      'rules[6].metadata: is no metadata; received "x"; allowed a mapping from names to { exact }, { prefix } or { regex }',
    ]);
  });

  test('with retries and faults that say nothing, or too much', () => {
    expect(
      rules(({ inventory: { method } }) => [
        { method: method.getStock, timeoutMs: 0, retries: { on: [] } },
        {
          method: method.reserve,
          timeoutMs: 100,
          retries: { attempts: 11, on: ['ABORTED'], perTryTimeoutMs: 100 },
        },
        { method: method.syncStock, fault: { percent: 5 } },
        { method: method.importStock, fault: { status: 'OK', percent: 0.00001 } },
        {
          metadata: tester,
          fault: [
            { delayMs: 1, percent: 1 },
            { delayMs: 2, percent: 1 },
          ],
        },
      ]),
    ).toEqual([
      'rules[0].timeoutMs: is no such number; received 0; allowed a whole number from 1 to 3600000',
      'rules[0].retries.attempts: is no such number; received null; allowed a whole number from 1 to 10',
      'rules[0].retries.on: names no status; received []; fix: leave it out for UNAVAILABLE',
      'rules[1].retries.attempts: is no such number; received 11; allowed a whole number from 1 to 10',
      'rules[1].retries.on: is no status that can be tried again; received "ABORTED"; ' +
        'allowed CANCELLED, DEADLINE_EXCEEDED, INTERNAL, RESOURCE_EXHAUSTED, UNAVAILABLE',
      'rules[1].retries.perTryTimeoutMs: an attempt would never end by it, as the whole call ends after 100 ms; received 100; allowed less than 100',
      'rules[2].fault: is not one kind of fault; received {"percent":5}; allowed either a status or a delayMs; a list for both',
      'rules[3].fault.percent: is no share of the calls; received 0.00001; allowed from 0.0001 to 100',
      'rules[3].fault.status: is no gRPC status of an error; received "OK"; allowed CANCELLED, UNKNOWN, INVALID_ARGUMENT, ' +
        'DEADLINE_EXCEEDED, NOT_FOUND, ALREADY_EXISTS, PERMISSION_DENIED, RESOURCE_EXHAUSTED, FAILED_PRECONDITION, ABORTED, ' +
        'OUT_OF_RANGE, UNIMPLEMENTED, INTERNAL, UNAVAILABLE, DATA_LOSS, UNAUTHENTICATED',
      'rules[4].fault: has two faults of one kind; received [{"delayMs":1,"percent":1},{"delayMs":2,"percent":1}]; fix: keep one',
    ]);
  });

  test('that say the same twice, or can never be reached', () => {
    expect(
      rules(({ inventory: { method } }) => [
        { method: method.getStock, timeoutMs: 100 },
        { method: method.getStock, timeoutMs: 200, to: 'v2' },
        { method: method.getStock, metadata: { a: { exact: '1' }, b: { exact: '2' } }, to: 'v2' },
        { method: method.getStock, metadata: { b: { exact: '2' }, a: { exact: '1' } }, to: 'v1' },
        { metadata: tester, to: 'v1' },
        { metadata: tester, fault: { status: 'ABORTED', percent: 1 } },
      ]),
    ).toEqual([
      'rules[1].timeoutMs: is said by rules[0] already; fix: keep one',
      'rules[3]: can never be reached: rules[2] takes the same calls; fix: make one of the two',
      'rules[5]: can never be reached: rules[4] takes the same calls; fix: make one of the two',
    ]);
  });

  test('whose limits, with those of the method, make no sense together', () => {
    const perTry = (perTryTimeoutMs: number) => ({ retries: { attempts: 1, perTryTimeoutMs } });
    expect(
      rules(({ inventory: { method } }) => [
        { method: method.getStock, timeoutMs: 100 },
        { method: method.getStock, ...perTry(500) },
        { method: method.getStock, metadata: tester, ...perTry(100) },
        { method: method.reserve, timeoutMs: 1000, ...perTry(400) },
        { method: method.reserve, metadata: tester, timeoutMs: 400 },
        { method: method.reserve, metadata: { a: { exact: '1' } }, timeoutMs: 100, ...perTry(50) },
      ]),
    ).toEqual([
      'rules[1].retries.perTryTimeoutMs: an attempt would never end by it, as another rule of the method ends the whole call ' +
        'after 100 ms; received 500; allowed less than 100',
      'rules[2].retries.perTryTimeoutMs: an attempt would never end by it, as another rule of the method ends the whole call ' +
        'after 100 ms; received 100; allowed less than 100',
      'rules[4].timeoutMs: no attempt would end by the perTryTimeoutMs of another rule of the method, 400 ms; received 400; ' +
        'allowed more than 400',
    ]);
  });

  test('that pick a version while the other calls go to all of them', () => {
    expect(said(() => ({ rules: [{ metadata: tester, to: 'v2' }] }))).toEqual([
      'rules[0].to: a version is picked for some calls, while all others go to the pods of every version alike; ' +
        'received "v2"; fix: add weights for those, such as { v1: 100, v2: 0, idle: 0 }',
    ]);
  });
});

test('limits, unknown keys and what is no mapping', () => {
  expect(
    said(() => ({
      rule: [],
      connections: { maxRequests: 0, maxConnections: 5 },
      outliers: { maxEjectionPercent: 101, intervalSeconds: 0.5 },
      rules: {},
    })),
  ).toEqual([
    'rule: unknown key; received "rule"; allowed failover, distribution, weights, rules, connections, outliers; fix: did you mean rules?',
    'rules: is no list; received {}',
    'connections.maxConnections: unknown key; received "maxConnections"; ' +
      'allowed maxRequests, maxPendingRequests, maxRequestsPerConnection, idleTimeoutSeconds',
    'connections.maxRequests: is no such number; received 0; allowed a whole number from 1 to 2147483647',
    'outliers.intervalSeconds: is no such number; received 0.5; allowed a whole number from 1 to 86400',
    'outliers.maxEjectionPercent: is no such number; received 101; allowed a whole number from 1 to 100',
  ]);
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
      'demo/shop/orders/more: the service already has a traffic policy, demo/shop/orders/traffic, and Istio merges none; ' +
        'fix: declare all of it there',
      'demo/shop/stray: a traffic policy belongs to a GrpcService; fix: pass the service as its scope',
    ]);
  });
});

test('a service in the place of one of its methods is shown by its path', () => {
  const allowed = 'allowed SERVICE.method.NAME, NAME one of getStock, reserve, importStock, syncStock';
  expect(said(({ inventory }) => ({ rules: [{ method: inventory, timeoutMs: 1000 }] }))).toEqual([
    `rules[0].method: is no method of the service; received "demo/shop/inventory"; ${allowed}`,
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
    'distribution.east: leaves no pod to calls of version v2, which runs in west only; received {"east":100}; ' +
      'fix: give west a share, or v2 no calls',
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
      'distribution.east: gives east itself nothing, while distribution.west sends it calls: ' +
        'its east-west gateway goes by the same shares, and would have no pod to hand them to; received {"west":100}; ' +
        'fix: give east a share here, or none there',
      'distribution.west: gives west itself nothing, while distribution.east sends it calls: ' +
        'its east-west gateway goes by the same shares, and would have no pod to hand them to; received {"east":100}; ' +
        'fix: give west a share here, or none there',
    ]);
  });
});
