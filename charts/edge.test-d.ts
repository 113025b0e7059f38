/**
 * What must not compile of edges and limits. Read by the compiler only: an unused `@ts-expect-error` is an error, so
 * each line holds.
 */
/* eslint-disable @typescript-eslint/no-unsafe-class-instance-assignment --
   the compiler refuses these on purpose */
import { CatalogService } from '../gen/test/catalog/v1/catalog_pb.js';
import { OrdersService } from '../gen/test/orders/v1/orders_pb.js';
import { HttpEdge } from './constructs/edge/http-edge.ts';
import { GrpcService } from './constructs/workload/grpc-service.ts';
import { Mesh } from './constructs/mesh.ts';
import { ServiceLimits } from './constructs/rate-limits/service-limits.ts';
import { lab } from './platforms.ts';

const clusters = {
  east: { network: 'net-east', region: 'r1', zone: 'z1' },
  west: { network: 'net-west', region: 'r2', zone: 'z2' },
};
const mesh = new Mesh('demo', { root: '.', trustDomain: 'demo.example', clusters, platform: lab });
const shop = mesh.namespace('shop');
const catalog = new GrpcService(shop, 'catalog', { app: 'apps/catalog', service: CatalogService });
const orders = new GrpcService(shop, 'orders', { app: 'apps/orders', service: OrdersService });
const { getProduct, listProducts } = catalog.method;
const expose = [catalog, orders.method.getOrder];
const jwt = { issuer: 'https://id.example', audiences: ['shop'], jwksUri: 'https://id.example/keys' };

// What must compile.
new HttpEdge(shop, 'edge', {
  expose: [getProduct, catalog.method.watchPrices, orders],
  hosts: ['api.example'],
  jwt: { ...jwt, except: [getProduct], rules: [{ method: listProducts, claim: 'role', values: ['staff'] }] },
  rateLimits: [
    { method: getProduct, perSecond: 50, by: 'client' },
    { perSecond: 500, burst: 1_000, by: 'all' },
  ],
  cors: { origins: ['https://shop.example', { regex: 'https://.*' }] },
  tls: { secret: 'api-example' },
  placement: ['east'],
  protocols: ['rest', 'grpc'],
});
new ServiceLimits(catalog, 'limits', { rateLimits: [{ method: getProduct, perSecond: 5, by: 'method' }] });
new ServiceLimits(catalog, 'hourly', { rateLimits: [{ perHour: 100, burst: 200, by: 'client' }] });

// @ts-expect-error a misspelled method
new HttpEdge(shop, 'x1', { expose: [catalog.method.getProdukt] });
// @ts-expect-error a method by its name
new HttpEdge(shop, 'x2', { expose: ['getProduct'] });
// @ts-expect-error nothing exposed
new HttpEdge(shop, 'x3', {});
// @ts-expect-error an edge in a cluster the mesh does not have
new HttpEdge(shop, 'x4', { expose, placement: ['north'] });
// @ts-expect-error tokens for no audience
new HttpEdge(shop, 'x5', { expose, jwt: { issuer: jwt.issuer, jwksUri: jwt.jwksUri } });
// @ts-expect-error tokens without keys
new HttpEdge(shop, 'x6', { expose, jwt: { issuer: jwt.issuer, audiences: ['shop'] } });
// @ts-expect-error two sources of keys
new HttpEdge(shop, 'x7', { expose, jwt: { ...jwt, jwks: { keys: [] } } });
// @ts-expect-error an exception by its path
new HttpEdge(shop, 'x8', { expose, jwt: { ...jwt, except: ['/v1/products'] } });
// @ts-expect-error a limit of a method for all
new HttpEdge(shop, 'x9', { expose, rateLimits: [{ method: getProduct, perSecond: 5, by: 'all' }] });
// @ts-expect-error a limit without a method for a method
new HttpEdge(shop, 'x10', { expose, rateLimits: [{ perSecond: 5, by: 'method' }] });
// @ts-expect-error a rate as a text
new HttpEdge(shop, 'x11', { expose, rateLimits: [{ perSecond: '5', by: 'all' }] });
// @ts-expect-error CORS for no origin
new HttpEdge(shop, 'x12', { expose, cors: {} });
// @ts-expect-error a certificate instead of the name of its Secret
new HttpEdge(shop, 'x13', { expose, tls: { certificate: '', key: '' } });
// @ts-expect-error limits of no service
new ServiceLimits(shop, 'x14', { rateLimits: [{ perSecond: 5, by: 'all' }] });
// @ts-expect-error two rates of one limit
new ServiceLimits(catalog, 'x16', { rateLimits: [{ perSecond: 5, perMinute: 100, by: 'all' }] });
// @ts-expect-error a limit without a rate
new ServiceLimits(catalog, 'x17', { rateLimits: [{ burst: 5, by: 'all' }] });
// @ts-expect-error a client by its address
new ServiceLimits(catalog, 'x15', { rateLimits: [{ perSecond: 5, by: 'address' }] });
// @ts-expect-error a protocol that edges do not speak
new HttpEdge(shop, 'x16', { expose, protocols: ['rest', 'grpc-web'] });
