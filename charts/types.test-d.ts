/**
 * What must not compile. Read by the compiler only: an unused `@ts-expect-error` is an error, so each line holds.
 */
/* eslint-disable @typescript-eslint/no-unsafe-class-instance-assignment, @typescript-eslint/no-unsafe-argument --
   the compiler refuses these on purpose */
import { CatalogService } from '../gen/test/catalog/v1/catalog_pb.js';
import { OrdersService } from '../gen/test/orders/v1/orders_pb.js';
import { GrpcService } from './constructs/workload/grpc-service.ts';
import type { Gateways } from './constructs/scope/gateway-address.ts';
import { HttpEdge } from './constructs/edge/http-edge.ts';
import { Mesh } from './constructs/mesh.ts';
import type { Method } from './constructs/scope/method.ts';
import type { Platform } from './constructs/scope/platform.ts';
import type { RevisionProps } from './constructs/scope/cluster.ts';
import { existing, lab } from './platforms.ts';
import { synthesize } from './synth.ts';

const clusters = {
  east: { network: 'net-east', region: 'r1', zone: 'z1' },
  west: { network: 'net-west', region: 'r2', zone: 'z2' },
};
const mesh = new Mesh('demo', { root: '.', trustDomain: 'demo.example', clusters, platform: lab });
const shop = mesh.namespace('shop');
const catalog = new GrpcService(shop, 'catalog', { app: 'apps/catalog', service: CatalogService });
const orders = new GrpcService(shop, 'orders', {
  app: 'apps/orders',
  service: OrdersService,
  placement: ['east'],
});

// What must compile, and with these types.
export const rendered = synthesize(mesh);
export const unary: Method<'unary', 'east' | 'west'> = catalog.method.getProduct;
export const streaming: Method<'server_streaming', 'east' | 'west'> = catalog.method.watchPrices;
export const runs: readonly ('east' | 'west')[] = orders.clusters;
new HttpEdge(shop, 'edge', { expose: [catalog, orders] });
// The mesh of each part is the Mesh that a construct of a user's own calls it.
export const ofNamespace: Mesh<'east' | 'west'> = shop.mesh;
export const ofService: Mesh<'east' | 'west'> = catalog.mesh;
export const again: typeof shop = shop.mesh.namespace('again');

orders.calls(catalog.method.getProduct, catalog.method.watchPrices);

// @ts-expect-error a call to a misspelled method
orders.calls(catalog.method.getProdukt);
// @ts-expect-error a call to a method of another service
orders.calls(catalog.method.createOrder);
// @ts-expect-error a call to a method by its name
orders.calls('getProduct');
// @ts-expect-error a misspelled method
export const misspelled: unknown = catalog.method.getProdukt;
// @ts-expect-error a method of another service
export const foreign: unknown = catalog.method.createOrder;
// @ts-expect-error a streaming method where a unary one is asked for
export const stream: Method<'unary'> = catalog.method.watchPrices;
// @ts-expect-error a cluster the mesh does not have
new GrpcService(shop, 'x1', { app: 'apps/x', service: CatalogService, placement: ['north'] });
// @ts-expect-error a gateway in a cluster the mesh does not have
new HttpEdge(shop, 'x2', { expose: [catalog], placement: ['north'] });
// @ts-expect-error a service by its name instead of its construct
new HttpEdge(shop, 'x3', { expose: ['catalog'] });
// @ts-expect-error a proto service by its name instead of its descriptor
new GrpcService(shop, 'x4', { app: 'apps/x', service: 'test.catalog.v1.CatalogService' });
// @ts-expect-error a service outside any namespace
new GrpcService(mesh, 'x5', { app: 'apps/x', service: CatalogService });
// @ts-expect-error a service without its app
new GrpcService(shop, 'x6', { service: CatalogService });
new Mesh('x7', {
  root: '.',
  trustDomain: 'demo.example',
  // @ts-expect-error a cluster without its zone
  clusters: { east: { network: 'net-east', region: 'r1' } },
  platform: lab,
});
const istio = { revisions: { default: {}, '1-30': { tag: '1.30.0' } }, use: 'default' };
new Mesh('x8', {
  root: '.',
  trustDomain: 'demo.example',
  clusters: { ...clusters, east: { ...clusters.east, istio } },
  platform: lab,
});
new Mesh('x9', {
  root: '.',
  trustDomain: 'demo.example',
  // @ts-expect-error a revision in use without any that is declared
  clusters: { ...clusters, east: { ...clusters.east, istio: { use: 'default' } } },
  platform: lab,
});
// @ts-expect-error a misspelled property of a control plane
export const revision: RevisionProps = { istioTag: '1.30.0' };
new Mesh('x10', {
  root: '.',
  trustDomain: 'demo.example',
  clusters,
  platform: lab,
  gateways: {
    // @ts-expect-error a load balancer that does not say whom it lets in
    ingress: { type: 'LoadBalancer' },
    // @ts-expect-error a node port of another gateway
    eastWest: { type: 'NodePort', addresses: ['192.0.2.1'], ports: { http: 30080 } },
  },
});
// @ts-expect-error addresses of a load balancer, which its status tells
export const both: Gateways = { ingress: { type: 'LoadBalancer', sources: [], addresses: ['192.0.2.1'] } };
// @ts-expect-error a gateway that a mesh does not have
export const other: Gateways = { egress: { type: 'LoadBalancer', sources: ['10.0.0.0/8'] } };
// @ts-expect-error a proxy that is neither Istio's nor upstream Envoy
export const proxy: Platform['istio']['proxy'] = 'nginx';
// An Istio of others, as its options say it.
const onTheirs = new Mesh('x11', {
  root: '.',
  trustDomain: 'cluster.local',
  clusters,
  platform: existing({ imageHub: 'registry.example/shop', istio: { revision: 'stable' } }),
});
onTheirs.namespace('team-a', { shared: true });
// @ts-expect-error a misspelled property of a namespace
onTheirs.namespace('team-b', { share: true });
// @ts-expect-error an Istio of others of which nothing is said
existing({ imageHub: 'registry.example/shop' });
// @ts-expect-error gateways of others without the identity that edges take requests from
existing({ imageHub: 'a', istio: {}, ingress: { namespace: 'a', selector: { istio: 'a' }, service: 'a' } });
// @ts-expect-error a version of Istio, which its owners choose
existing({ imageHub: 'a', istio: {}, istioTag: '1.30.0' });
