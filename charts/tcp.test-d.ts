/**
 * What must not compile of services over TCP. Read by the compiler only: an unused `@ts-expect-error` is an error, so each line holds.
 */
/* eslint-disable @typescript-eslint/no-unsafe-argument, @typescript-eslint/no-unsafe-member-access --
   the compiler refuses these on purpose */
import { OrdersService } from '../gen/test/orders/v1/orders_pb.js';
import { existingCaller, GrpcService, lab, Mesh, MutualTls, TcpService, TrafficPolicy } from './index.ts';
import type { TcpPort } from './index.ts';

const clusters = {
  east: { network: 'net-east', region: 'r1', zone: 'z1' },
  west: { network: 'net-west', region: 'r2', zone: 'z2' },
};
const mesh = new Mesh('demo', { root: '.', trustDomain: 'demo.example', clusters, platform: lab });
const shop = mesh.namespace('shop');
const orders = new GrpcService(shop, 'orders', { app: 'apps/orders', service: OrdersService });
const by = { image: 'registry.example/redis:8.2.1', ports: { redis: 6379 } };

// What must compile, and with these types.
const redis = new TcpService(shop, 'redis', { ...by, replicated: true, placement: ['east'] });
const db = new TcpService(shop, 'db', {
  image: 'mysql:9.4.0',
  ports: { mysql: 3306, admin: { port: 33062, servicePort: 3307 } },
});
export const port: TcpPort<'east' | 'west'> = redis.port.redis;
orders.calls(redis.port.redis, orders.method.getOrder, db.port.admin);
redis.calls(db.port.mysql, orders.method.getOrder);
existingCaller(mesh, { namespace: 'shop', serviceAccount: 'job' }).calls(
  db.port.mysql,
  orders.method.getOrder,
);
new MutualTls(db, 'tls', { mode: 'STRICT', ports: { admin: 'PERMISSIVE', 3306: 'STRICT' } });
new TcpService(shop, 'a', {
  ...by,
  probes: { readiness: { tcp: { port: 6379 } }, liveness: { exec: ['/ping'] } },
});

const store = new TcpService(shop, 'store', {
  ...by,
  stateful: { volumes: { data: { mountPath: '/data', size: '1Gi', accessMode: 'ReadWriteOncePod' } } },
});
store.calls(store.pods.redis);
orders.calls(store.port.redis, store.pods.redis);

// @ts-expect-error a misspelt port of single pods
orders.calls(store.pods.reddis);
// @ts-expect-error a volume without a size
new TcpService(shop, 's1', { ...by, stateful: { volumes: { data: { mountPath: '/data' } } } });
new TcpService(shop, 's2', {
  ...by,
  // @ts-expect-error an access mode by which no pod could write
  stateful: { volumes: { d: { mountPath: '/d', size: '1Gi', accessMode: 'ReadOnlyMany' } } },
});
// @ts-expect-error Kubernetes' own word
new TcpService(shop, 's3', { ...by, stateful: { podManagement: 'Parallel' } });
// @ts-expect-error a misspelt port
orders.calls(redis.port.reddis);
// @ts-expect-error a whole service
orders.calls(redis);
// @ts-expect-error a port by its number
orders.calls(6379);
// @ts-expect-error a port over HTTP
orders.callsHttp(redis.port.redis);
// @ts-expect-error a method of what serves none
orders.calls(redis.method.get);
// @ts-expect-error a misspelt port of mutual TLS
new MutualTls(redis, 'x1', { mode: 'STRICT', ports: { reddis: 'STRICT' } });
// @ts-expect-error routes by method
new TrafficPolicy(redis, 'x2', {});
// @ts-expect-error no ports at all
new TcpService(shop, 'x3', { image: 'redis:8.2.1' });
// @ts-expect-error one port without a name
new TcpService(shop, 'x4', { image: 'redis:8.2.1', port: 6379 });
// @ts-expect-error a port as text
new TcpService(shop, 'x5', { image: 'redis:8.2.1', ports: { redis: '6379' } });
// @ts-expect-error an app folder
new TcpService(shop, 'x6', { ...by, app: 'apps/redis' });
// @ts-expect-error a probe by gRPC
new TcpService(shop, 'x7', { ...by, probes: { grpc: {} } });
// @ts-expect-error a misspelt key
new TcpService(shop, 'x8', { ...by, replcated: true });
// @ts-expect-error a cluster that the mesh does not have
new TcpService(shop, 'x9', { ...by, placement: ['north'] });
// @ts-expect-error a proto service
new TcpService(shop, 'x10', { ...by, service: OrdersService });
