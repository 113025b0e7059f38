/**
 * What must not compile of access. Read by the compiler only: an unused `@ts-expect-error` is an error.
 */
/* eslint-disable @typescript-eslint/no-unsafe-class-instance-assignment, @typescript-eslint/no-unsafe-argument --
   the compiler refuses these on purpose */
import { CatalogService } from '../gen/test/catalog/v1/catalog_pb.js';
import { OrdersService } from '../gen/test/orders/v1/orders_pb.js';
import {
  existingCaller,
  existingService,
  ExternalService,
  GrpcService,
  HttpEdge,
  lab,
  Mesh,
  MutualTls,
} from './index.ts';

const clusters = {
  east: { network: 'net-east', region: 'r1', zone: 'z1' },
  west: { network: 'net-west', region: 'r2', zone: 'z2' },
};
const mesh = new Mesh('demo', { root: '.', trustDomain: 'demo.example', clusters, platform: lab });
const shop = mesh.namespace('shop');
const catalog = new GrpcService(shop, 'catalog', { app: 'apps/catalog', service: CatalogService });
const orders = new GrpcService(shop, 'orders', { app: 'apps/orders', service: OrdersService });
const payments = new ExternalService(shop, 'payments', { host: 'a.example', port: 443, protocol: 'TLS' });

// What must compile.
orders.callsHttp(catalog.method.getProduct, catalog.method.listProducts);
orders.callsExternal(payments);
new MutualTls(shop, 'mutual-tls', { mode: 'PERMISSIVE' });
new MutualTls(catalog, 'mutual-tls', { mode: 'STRICT', ports: { http: 'PERMISSIVE', 50051: 'STRICT' } });

// @ts-expect-error a method that streams, over HTTP
orders.callsHttp(catalog.method.watchPrices);
// @ts-expect-error a misspelled method
orders.callsHttp(catalog.method.getProdukt);
// @ts-expect-error an external service by its name
orders.callsExternal('payments');
// @ts-expect-error a service of the mesh as an external one
orders.callsExternal(catalog);
// @ts-expect-error an external service by calls
orders.calls(payments);
// @ts-expect-error a protocol that is none
new ExternalService(shop, 'x1', { host: 'a.example', port: 443, protocol: 'HTTPS' });
// @ts-expect-error a port as text
new ExternalService(shop, 'x2', { host: 'a.example', port: '443', protocol: 'TLS' });
const bank = new ExternalService(shop, 'bank', {
  host: 'b.example',
  ports: {
    api: { port: 80, targetPort: 443, protocol: 'HTTP', tls: {} },
    db: { port: 5432, protocol: 'TCP', plaintext: true },
  },
});
orders.callsExternal(bank, payments, bank.port.db);
// @ts-expect-error a misspelled port of a host outside
orders.callsExternal(bank.port.bd);
// @ts-expect-error a port of a service that has one without a name
orders.callsExternal(payments.port.tls);
// @ts-expect-error a port outside by calls
orders.calls(bank.port.db);
// @ts-expect-error plaintext that nobody says is meant
new ExternalService(shop, 'x7', { host: 'a.example', port: 80, protocol: 'HTTP' });
// @ts-expect-error TLS in TLS
new ExternalService(shop, 'x8', { host: 'a.example', port: 443, protocol: 'TLS', tls: {} });
// @ts-expect-error an external service outside any namespace
new ExternalService(mesh, 'x3', { host: 'a.example', port: 443, protocol: 'TLS' });
// @ts-expect-error no mutual TLS at all
new MutualTls(shop, 'x4', { mode: 'DISABLE' });
// @ts-expect-error ports of a namespace
new MutualTls(shop, 'x5', { mode: 'STRICT', ports: { grpc: 'STRICT' } });
// @ts-expect-error a misspelled port
new MutualTls(catalog, 'x6', { mode: 'STRICT', ports: { htpp: 'STRICT' } });

const stock = { namespace: 'team-a', name: 'stock', service: CatalogService };
const theirs = existingService(mesh, { ...stock, placement: ['east'] });
const batch = existingCaller(mesh, { namespace: 'team-a', serviceAccount: 'batch' });

// What must compile.
orders.calls(theirs.method.getProduct, theirs.method.watchPrices);
batch.calls(catalog.method.getProduct);
new HttpEdge(shop, 'theirs', { expose: [theirs] });
new HttpEdge(shop, 'some', { expose: [theirs.method.getProduct] });

// @ts-expect-error a misspelled method of a service of others
orders.calls(theirs.method.getProdukt);
// @ts-expect-error a cluster that the mesh does not have
existingService(mesh, { ...stock, placement: ['eats'] });
// @ts-expect-error a service of others by its name
orders.calls('team-a/stock');
// @ts-expect-error a service of others in a namespace, not in the mesh
existingService(shop, stock);
// @ts-expect-error a caller of others without an account
existingCaller(mesh, { namespace: 'team-a' });
// @ts-expect-error a misspelled property
existingCaller(mesh, { namespace: 'team-a', serviceAcount: 'batch' });
// @ts-expect-error a caller of others cannot be called
orders.calls(batch.method);
