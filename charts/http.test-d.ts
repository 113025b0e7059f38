/**
 * What must not compile of services over plain HTTP. Read by the compiler only: an unused `@ts-expect-error` is an error, so each line holds.
 */
/* eslint-disable @typescript-eslint/no-unsafe-call --
   the compiler refuses these on purpose */
import { OrdersService } from '../gen/test/orders/v1/orders_pb.js';
import { existingCaller, GrpcService, HttpService, lab, Mesh, MutualTls, TrafficPolicy } from './index.ts';
import type { ServiceRoute } from './index.ts';

const clusters = {
  east: { network: 'net-east', region: 'r1', zone: 'z1' },
  west: { network: 'net-west', region: 'r2', zone: 'z2' },
};
const mesh = new Mesh('demo', { root: '.', trustDomain: 'demo.example', clusters, platform: lab });
const shop = mesh.namespace('shop');
const orders = new GrpcService(shop, 'orders', { app: 'apps/orders', service: OrdersService });
const by = { image: 'registry.example/front:3.1.0', port: 8080 };

// What must compile, and with these types.
const front = new HttpService(shop, 'front', {
  ...by,
  placement: ['east'],
  failover: { east: ['west'] },
  retries: { attempts: 1 },
});
export const route: ServiceRoute<'east' | 'west'> = front.route(['GET', 'HEAD'], '/api/*');
orders.calls(front.route('GET', '/'), orders.method.getOrder);
front.calls(orders.method.getOrder);
existingCaller(mesh, { namespace: 'shop', serviceAccount: 'job' }).calls(front.route('PATCH', '/{*}'));
new MutualTls(front, 'tls', { mode: 'STRICT', ports: { http: 'PERMISSIVE', 8080: 'STRICT' } });

// @ts-expect-error a verb in lower case
front.route('get', '/');
// @ts-expect-error a verb of WebDAV
front.route('PROPFIND', '/');
// @ts-expect-error a path without its slash
front.route('GET', 'api');
// @ts-expect-error a whole service
orders.calls(front);
// @ts-expect-error a route of what has methods
orders.route('GET', '/');
// @ts-expect-error a route over the HTTP gateway
orders.callsHttp(front.route('GET', '/'));
// @ts-expect-error routes by method
new TrafficPolicy(front, 'x1', {});
// @ts-expect-error no port at all
new HttpService(shop, 'x2', { image: 'front:3.1.0' });
// @ts-expect-error an app folder
new HttpService(shop, 'x3', { ...by, app: 'apps/front' });
// @ts-expect-error a probe by gRPC
new HttpService(shop, 'x4', { ...by, probes: { grpc: {} } });
// @ts-expect-error a misspelt key
new HttpService(shop, 'x5', { ...by, timeoutMS: 5 });
// @ts-expect-error a cluster that the mesh does not have
new HttpService(shop, 'x6', { ...by, placement: ['north'] });
// @ts-expect-error a cluster that the mesh does not have
new HttpService(shop, 'x7', { ...by, failover: { east: ['north'] } });
