/**
 * What must not compile of versions and traffic. Read by the compiler only: an unused `@ts-expect-error` is an error.
 */
/* eslint-disable @typescript-eslint/no-unsafe-assignment -- the compiler refuses these on purpose */
import { CatalogService } from '../gen/test/catalog/v1/catalog_pb.js';
import { GrpcService } from './constructs/workload/grpc-service.ts';
import { HttpEdge } from './constructs/edge/http-edge.ts';
import { Mesh } from './constructs/mesh.ts';
import { TrafficPolicy } from './constructs/traffic/traffic-policy.ts';
import { lab } from './platforms.ts';

const clusters = {
  east: { network: 'net-east', region: 'r1', zone: 'z1' },
  west: { network: 'net-west', region: 'r2', zone: 'z2' },
};
const mesh = new Mesh('demo', { root: '.', trustDomain: 'demo.example', clusters, platform: lab });
const shop = mesh.namespace('shop');
const props = { app: 'apps/catalog', service: CatalogService } as const;

// What must compile, and with these types.
const one = new GrpcService(shop, 'one', props);
export const first: readonly 'v1'[] = one.versions;
const catalog = new GrpcService(shop, 'catalog', {
  ...props,
  versions: { v1: { image: 'catalog:1.4.0' }, v2: { placement: ['west'], replicas: 1 } },
});
export const both: readonly ('v1' | 'v2')[] = catalog.versions;
one.calls(catalog.method.getProduct);
new HttpEdge(shop, 'edge', { expose: [one, catalog] });

// @ts-expect-error a version that does not run
export const third: readonly 'v3'[] = catalog.versions;
// @ts-expect-error a version in a cluster the mesh does not have
new GrpcService(shop, 'x1', { ...props, versions: { v1: { placement: ['north'] } } });
// @ts-expect-error a misspelled property of a version
new GrpcService(shop, 'x2', { ...props, versions: { v1: { imag: 'catalog:1' } } });
// @ts-expect-error replicas as text
new GrpcService(shop, 'x3', { ...props, versions: { v1: { replicas: '2' } } });

const { getProduct, watchPrices } = catalog.method;
new TrafficPolicy(one, 'traffic', { outliers: { consecutiveErrors: 3 } });
new TrafficPolicy(catalog, 'traffic', {
  failover: { east: ['west'], west: ['east'] },
  weights: { v1: 90, v2: 10 },
  rules: [
    { method: getProduct, timeoutMs: 300, retries: { attempts: 2, on: ['UNAVAILABLE'] } },
    { method: getProduct, metadata: { 'x-canary': { exact: 'true' } }, to: 'v2' },
    { method: getProduct, mirror: { to: 'v2', percent: 10 } },
    { method: watchPrices, fault: { status: 'UNAVAILABLE', percent: 5 } },
    { metadata: { 'x-team': { prefix: 'qa-' }, 'x-run': { regex: '[0-9]+' } }, to: 'v1' },
  ],
});

// @ts-expect-error failover to a cluster the mesh does not have
new TrafficPolicy(catalog, 'x4', { failover: { east: ['north'] } });
// @ts-expect-error failover from a cluster the mesh does not have
new TrafficPolicy(catalog, 'x5', { failover: { north: ['east'] } });
// @ts-expect-error a distribution to a cluster the mesh does not have
new TrafficPolicy(catalog, 'x6', { distribution: { east: { north: 100 }, west: { west: 100 } } });
// @ts-expect-error a distribution that leaves a cluster's callers out
new TrafficPolicy(catalog, 'x7', { distribution: { east: { west: 100 } } });
// @ts-expect-error a retry on a streaming method
new TrafficPolicy(catalog, 'x8', { rules: [{ method: watchPrices, retries: { attempts: 2 } }] });
// @ts-expect-error a timeout on a streaming method
new TrafficPolicy(catalog, 'x9', { rules: [{ method: watchPrices, timeoutMs: 100 }] });
// @ts-expect-error a mirror of a streaming method
new TrafficPolicy(catalog, 'x10', { rules: [{ method: watchPrices, mirror: { to: 'v2' } }] });
// @ts-expect-error a misspelled method
new TrafficPolicy(catalog, 'x11', { rules: [{ method: catalog.method.getProdukt, timeoutMs: 100 }] });
// @ts-expect-error a version that does not run
new TrafficPolicy(catalog, 'x12', { rules: [{ method: getProduct, to: 'v3' }] });
// @ts-expect-error a mirror to a version that does not run
new TrafficPolicy(catalog, 'x13', { rules: [{ method: getProduct, mirror: { to: 'v3' } }] });
// @ts-expect-error a second version of a service that has one
new TrafficPolicy(one, 'x14', { rules: [{ method: one.method.getProduct, to: 'v2' }] });
// @ts-expect-error a weight that is not a number
new TrafficPolicy(catalog, 'x15', { weights: { v1: '90', v2: 10 } });
// @ts-expect-error weights that leave a version out
new TrafficPolicy(catalog, 'x16', { weights: { v1: 100 } });
// @ts-expect-error a weight of a version that does not run
new TrafficPolicy(catalog, 'x17', { weights: { v1: 90, v2: 10, v3: 0 } });
// @ts-expect-error a rule for no calls in particular
new TrafficPolicy(catalog, 'x18', { rules: [{ to: 'v2' }] });
// @ts-expect-error a timeout of all methods
new TrafficPolicy(catalog, 'x19', { rules: [{ metadata: { a: { exact: 'b' } }, timeoutMs: 1 }] });
// @ts-expect-error a status that does not exist
new TrafficPolicy(catalog, 'x20', { rules: [{ method: getProduct, fault: { status: 'GONE', percent: 5 } }] });
new TrafficPolicy(catalog, 'x21', {
  // @ts-expect-error a status that no proxy can try again
  rules: [{ method: getProduct, retries: { attempts: 1, on: ['ABORTED'] } }],
});
// @ts-expect-error a policy outside any service
new TrafficPolicy(shop, 'x22', {});
