/**
 * What must not compile. Read by the compiler only: an unused `@ts-expect-error` is an error, so each line holds.
 */
import { CatalogService } from '../gen/test/catalog/v1/catalog_pb.js';
import { OrdersService } from '../gen/test/orders/v1/orders_pb.js';
import { GrpcService } from './constructs/workload/grpc-service.ts';
import { HttpEdge } from './constructs/edge/http-edge.ts';
import { Mesh } from './constructs/mesh.ts';
import type { Method } from './constructs/scope/method.ts';
import { TrafficPolicy } from './constructs/traffic/traffic-policy.ts';
import { lab } from './platforms.ts';

const clusters = { east: { network: 'n', region: 'r1', zone: 'z1' } };
const mesh = new Mesh('demo', { root: '.', trustDomain: 'demo.example', clusters, platform: lab });
const shop = mesh.namespace('shop');
const by = { image: 'registry.example/cart:1.4.0', port: 7070 };

// What must compile, and with these types.
const cart = new GrpcService(shop, 'cart', { ...by, service: OrdersService });
const both = new GrpcService(shop, 'both', { ...by, services: [OrdersService, CatalogService] });
export const one: Method<'unary', 'east'> = cart.method.getOrder;
export const ofOne: Method<'unary', 'east'> = cart.methodsOf(OrdersService).getOrder;
export const unary: Method<'unary', 'east'> = both.methodsOf(CatalogService).getProduct;
export const streaming: Method<'server_streaming', 'east'> = both.methodsOf(CatalogService).watchPrices;
cart.calls(both.methodsOf(OrdersService).getOrder, both.methodsOf(CatalogService).watchPrices);
new HttpEdge(shop, 'edge', { expose: [both] });
new TrafficPolicy(both, 'traffic', {
  rules: [{ method: both.methodsOf(OrdersService).getOrder, timeoutMs: 5 }],
});
new GrpcService(shop, 'a', {
  ...by,
  service: OrdersService,
  probes: { readiness: { http: { path: '/', port: 80 } } },
});
new GrpcService(shop, 'by-connection', { ...by, service: OrdersService, probes: { tcp: {} } });
new GrpcService(shop, 'b', {
  ...by,
  service: OrdersService,
  probes: { exec: ['/probe'] },
  placement: ['east'],
});

// @ts-expect-error methods without saying of which service
export const unsaid: unknown = both.method.getOrder;
// @ts-expect-error a method of the other service
export const other: unknown = both.methodsOf(CatalogService).getOrder;
// @ts-expect-error a service that is not served
export const foreign: unknown = cart.methodsOf(CatalogService);
// @ts-expect-error an app folder and an image
new GrpcService(shop, 'x1', { ...by, app: 'apps/orders', service: OrdersService });
// @ts-expect-error neither of the two
new GrpcService(shop, 'x2', { service: OrdersService });
// @ts-expect-error ports beside an app folder
new GrpcService(shop, 'x3', { app: 'apps/orders', port: 7070, service: OrdersService });
// @ts-expect-error one service and several
new GrpcService(shop, 'x4', { ...by, service: OrdersService, services: [OrdersService] });
// @ts-expect-error no service
new GrpcService(shop, 'x5', { ...by });
// @ts-expect-error a misspelt key
new GrpcService(shop, 'x6', { ...by, service: OrdersService, replcas: 2 });
// @ts-expect-error a port as text
new GrpcService(shop, 'x7', { image: 'cart:1.4.0', port: '7070', service: OrdersService });
// @ts-expect-error a probe of two kinds of none
new GrpcService(shop, 'x8', { ...by, service: OrdersService, probes: 'never' });
// @ts-expect-error an HTTP probe without its port
new GrpcService(shop, 'x9', { ...by, service: OrdersService, probes: { http: { path: '/' } } });
const requests = { cpu: '1', memory: '1Gi' };
// @ts-expect-error a limit of memory left out
new GrpcService(shop, 'x10', { ...by, service: OrdersService, resources: { requests, limits: {} } });
// @ts-expect-error a number for a variable
new GrpcService(shop, 'x11', { ...by, service: OrdersService, env: { PORT: 7070 } });
// @ts-expect-error a cluster that the mesh does not have
new GrpcService(shop, 'x12', { ...by, service: OrdersService, placement: ['west'] });
