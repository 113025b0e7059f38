import { describe, expect, test } from '@jest/globals';
import { CatalogService } from '../../../gen/test/catalog/v1/catalog_pb.js';
import { InventoryService } from '../../../gen/test/inventory/v1/inventory_pb.js';
import { synthesize } from '../../synth.ts';
import { expectGolden } from '../../testing/golden.ts';
import { objectOf, twoClusters } from '../../testing/mesh.ts';
import { withProject } from '../../testing/project.ts';
import { GrpcService } from '../workload/grpc-service.ts';
import type { TrafficPolicyProps } from './props.ts';
import { TrafficPolicy } from './traffic-policy.ts';

type Catalog = GrpcService<typeof CatalogService, 'east' | 'west', 'v1' | 'v2'>;
type Props = TrafficPolicyProps<'east' | 'west', 'v1' | 'v2'>;

/** The catalog in two versions, without an HTTP port, and its policy. */
function rendered(props: (catalog: Catalog) => Props) {
  return withProject({ catalog: { ports: { grpc: 50051 }, httpGateway: false } }, (root) => {
    const mesh = twoClusters(root);
    const catalog = new GrpcService(mesh.namespace('shop'), 'catalog', {
      app: 'apps/catalog',
      service: CatalogService,
      versions: { v1: {}, v2: {} },
    });
    new TrafficPolicy(catalog, 'traffic', props(catalog));
    return synthesize(mesh);
  });
}

interface Http {
  readonly name: string;
  readonly match?: readonly { readonly uri?: { readonly exact: string }; readonly headers?: object }[];
  readonly [key: string]: unknown;
}

function routes(props: (catalog: Catalog) => Props): readonly Http[] {
  const service = objectOf(rendered(props), 'east', 'VirtualService', 'catalog');
  return (service?.['spec'] as { http: readonly Http[] }).http;
}

const path = (name: string) => `/test.catalog.v1.CatalogService/${name}`;
const host = 'catalog.shop.svc.cluster.local';
const v2 = { destination: { host, subset: 'v2' } };

describe('a canary with timeouts, a mirror, a fault and rules for testers', () => {
  const stages = rendered(({ method }) => ({
    failover: { east: ['west'], west: ['east'] },
    weights: { v1: 90, v2: 10 },
    rules: [
      { method: method.getProduct, timeoutMs: 300, retries: { attempts: 2, on: ['UNAVAILABLE'] } },
      { method: method.getProduct, metadata: { 'x-canary': { exact: 'true' } }, to: 'v2' },
      { method: method.listProducts, mirror: { to: 'v2', percent: 10 } },
      { method: method.watchPrices, fault: { status: 'UNAVAILABLE', percent: 5 } },
      { metadata: { 'x-tester': { prefix: 'qa-' } }, to: 'v2', fault: { delayMs: 20, percent: 50 } },
    ],
  }));

  test('is one VirtualService and one DestinationRule, the same in every cluster, after all pods', () => {
    const objects = (cluster: string) =>
      stages.find((stage) => stage.cluster === cluster && stage.stage === '60-traffic')?.objects ?? [];
    expect(objects('east').map(({ kind, metadata }) => `${kind} ${metadata.name}`)).toEqual([
      'DestinationRule catalog',
      'VirtualService catalog',
    ]);
    expect(objects('west')).toEqual(objects('east'));
    expectGolden(import.meta.url, 'traffic-policy', objects('east'));
  });

  test('has a subset for each version, by the label its pods carry', () => {
    expect(objectOf(stages, 'east', 'DestinationRule', 'catalog')).toMatchObject({
      spec: {
        subsets: [
          { name: 'v1', labels: { version: 'v1' } },
          { name: 'v2', labels: { version: 'v2' } },
        ],
      },
    });
  });
});

test('a canary rule after the general one works, and keeps the timeout', () => {
  const [canary, general] = routes(({ method }) => ({
    weights: { v1: 100, v2: 0 },
    rules: [
      { method: method.getProduct, timeoutMs: 300 },
      { method: method.getProduct, metadata: { 'x-canary': { exact: 'true' } }, to: 'v2' },
    ],
  }));
  expect(canary).toEqual({
    name: 'getProduct rules[1]',
    match: [{ uri: { exact: path('GetProduct') }, headers: { 'x-canary': { exact: 'true' } } }],
    route: [v2],
    timeout: '0.3s',
  });
  expect(general).toEqual({
    name: 'getProduct',
    match: [{ uri: { exact: path('GetProduct') } }],
    route: [
      { destination: { host, subset: 'v1' }, weight: 100 },
      { destination: { host, subset: 'v2' }, weight: 0 },
    ],
    timeout: '0.3s',
  });
});

test('the more specific rule comes first, wherever it stands', () => {
  const names = routes(() => ({
    weights: { v1: 100, v2: 0 },
    rules: [
      { metadata: { a: { regex: 'x.*' } }, to: 'v1' },
      { metadata: { a: { prefix: 'x' } }, to: 'v2' },
      { metadata: { a: { prefix: 'xy' } }, to: 'v1' },
      { metadata: { a: { exact: 'xyz' } }, to: 'v2' },
      { metadata: { a: { regex: 'x.*' }, b: { exact: '1' } }, to: 'v1' },
      { metadata: { b: { exact: '1' } }, to: 'v1' },
    ],
  })).map(({ name }) => name);
  expect(names.filter((name) => name.startsWith('rules'))).toEqual(
    [4, 3, 5, 2, 1, 0].map((index) => `rules[${index}]`),
  );
  expect(names.at(-1)).toBe('default');
});

test('rules for all methods keep what holds for a method, and leave out what the method picks out itself', () => {
  const found = routes(({ method }) => ({
    weights: { v1: 100, v2: 0 },
    rules: [
      { metadata: { tester: { exact: '1' } }, to: 'v2' },
      { method: method.getProduct, timeoutMs: 300 },
      { method: method.listProducts, metadata: { tester: { exact: '1' } }, to: 'v1' },
    ],
  }));
  expect(found.map(({ name }) => name)).toEqual([
    'getProduct rules[0]',
    'getProduct',
    'listProducts rules[2]',
    'watchPrices rules[0]',
    'watchPrices',
    'rules[0]',
    'default',
  ]);
  expect(found[0]).toMatchObject({ route: [v2], timeout: '0.3s' });
  expect(found[3]).toMatchObject({ route: [v2], retries: { attempts: 0 } });
});

test('retries, a mirror and both faults in words of Istio', () => {
  const [faulty, route] = routes(({ method }) => ({
    weights: { v1: 100, v2: 0 },
    rules: [
      {
        method: method.getProduct,
        retries: { attempts: 3, on: ['UNAVAILABLE', 'RESOURCE_EXHAUSTED'], perTryTimeoutMs: 1500 },
        mirror: { to: 'v2' },
      },
      {
        method: method.getProduct,
        metadata: { 'x-tester': { exact: 'yes' } },
        fault: [
          { status: 'ABORTED', percent: 0.5 },
          { delayMs: 2000, percent: 10 },
        ],
      },
    ],
  }));
  expect(route).toMatchObject({
    retries: {
      attempts: 3,
      retryOn: 'connect-failure,refused-stream,reset,resource-exhausted,unavailable',
      perTryTimeout: '1.5s',
    },
    mirrors: [{ destination: { host, subset: 'v2' }, percentage: { value: 100 } }],
  });
  expect(faulty).toMatchObject({
    mirrors: [{ destination: { host, subset: 'v2' }, percentage: { value: 100 } }],
    fault: {
      abort: { grpcStatus: 'ABORTED', percentage: { value: 0.5 } },
      delay: { fixedDelay: '2s', percentage: { value: 10 } },
    },
  });
  // Istio would make none, and says nothing of it.
  expect(faulty).not.toHaveProperty('retries');
});

describe('without a policy', () => {
  const stages = withProject({}, (root) => {
    const mesh = twoClusters(root);
    const shop = mesh.namespace('shop');
    new GrpcService(shop, 'inventory', { app: 'apps/inventory', service: InventoryService });
    return synthesize(mesh);
  });

  test('streams are not retried, not even where no server has seen them', () => {
    expect(objectOf(stages, 'east', 'VirtualService', 'inventory')?.['spec']).toEqual({
      hosts: ['inventory.shop.svc.cluster.local'],
      http: [
        {
          name: 'streams',
          match: [
            { uri: { exact: '/test.inventory.v1.InventoryService/ImportStock' } },
            { uri: { exact: '/test.inventory.v1.InventoryService/SyncStock' } },
          ],
          route: [{ destination: { host: 'inventory.shop.svc.cluster.local' } }],
          retries: { attempts: 0 },
        },
        { name: 'default', route: [{ destination: { host: 'inventory.shop.svc.cluster.local' } }] },
      ],
      exportTo: ['.'],
    });
  });
});

test('beside an HTTP port the rules are for the gRPC port', () => {
  withProject({}, (root) => {
    const mesh = twoClusters(root);
    const catalog = new GrpcService(mesh.namespace('shop'), 'catalog', {
      app: 'apps/catalog',
      service: CatalogService,
    });
    new TrafficPolicy(catalog, 'traffic', {
      rules: [{ metadata: { a: { exact: 'b' } }, fault: { status: 'ABORTED', percent: 1 } }],
    });
    expect(objectOf(synthesize(mesh), 'east', 'VirtualService', 'catalog')).toMatchObject({
      spec: {
        http: [
          { match: [{ port: 50051 }] },
          { match: [{ port: 50051 }] },
          { match: [{ headers: { a: { exact: 'b' } }, port: 50051 }] },
          {
            name: 'default',
            match: [{ port: 50051 }],
            route: [{ destination: { port: { number: 50051 } } }],
          },
          {
            name: 'default 8081',
            match: [{ port: 8081 }],
            route: [{ destination: { port: { number: 8081 } } }],
          },
        ],
      },
    });
  });
});

test('a rule that picks the only version names no subset, as there is none without weights', () => {
  withProject({}, (root) => {
    const mesh = twoClusters(root);
    const inventory = new GrpcService(mesh.namespace('shop'), 'inventory', {
      app: 'apps/inventory',
      service: InventoryService,
      versions: { v1: {} },
    });
    const { getStock } = inventory.method;
    new TrafficPolicy(inventory, 'traffic', { rules: [{ method: getStock, to: 'v1', timeoutMs: 100 }] });
    const stages = synthesize(mesh);
    expect(objectOf(stages, 'east', 'DestinationRule', 'inventory')).not.toHaveProperty('spec.subsets');
    const service = objectOf(stages, 'east', 'VirtualService', 'inventory');
    expect((service?.['spec'] as { http: readonly Http[] }).http[0]).toEqual({
      name: 'getStock',
      match: [{ uri: { exact: '/test.inventory.v1.InventoryService/GetStock' } }],
      route: [{ destination: { host: 'inventory.shop.svc.cluster.local' } }],
      timeout: '0.1s',
    });
  });
});
