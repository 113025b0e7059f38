import { describe, expect, test } from '@jest/globals';
import { InventoryService } from '../../../gen/test/inventory/v1/inventory_pb.js';
import { OrdersService } from '../../../gen/test/orders/v1/orders_pb.js';
import { synthesize } from '../../synth.ts';
import { expectGolden } from '../../testing/golden.ts';
import { catalogIn, objectOf, objectsOf, problemsOf, twoClusters } from '../../testing/mesh.ts';
import { withProject } from '../../testing/project.ts';
import { libraryOf } from '../../testing/library.ts';
import { GrpcService } from '../workload/grpc-service.ts';
import type { Method } from '../scope/method.ts';
import { ExternalService, type ExternalServiceProps } from './external-service.ts';

/** The catalog, with its HTTP gateway, in another namespace than orders and the inventory. */
function shopOf(root: string) {
  const mesh = twoClusters(root);
  const shop = mesh.namespace('shop');
  const catalog = catalogIn(mesh.namespace('goods'));
  const inventory = new GrpcService(shop, 'inventory', { app: 'apps/inventory', service: InventoryService });
  const orders = new GrpcService(shop, 'orders', { app: 'apps/orders', service: OrdersService });
  return { mesh, shop, catalog, inventory, orders };
}

const payments: ExternalServiceProps = { host: 'payments.example', port: 443, protocol: 'TLS' };

describe('callsHttp', () => {
  test('grants the verbs and paths of the methods on the port of the gateway container, in every cluster', () => {
    withProject({}, (root) => {
      const { mesh, catalog, orders, inventory } = shopOf(root);
      orders.calls(catalog.method.getProduct);
      orders.callsHttp(catalog.method.getProduct, catalog.method.listProducts);
      inventory.callsHttp(catalog.method.getProduct);
      const rendered = synthesize(mesh);
      for (const cluster of ['east', 'west']) {
        expect(objectOf(rendered, cluster, 'AuthorizationPolicy', 'catalog')).toHaveProperty('spec.rules', [
          {
            from: [{ source: { principals: ['demo.example/ns/shop/sa/inventory'] } }],
            to: [{ operation: { ports: ['8081'], methods: ['GET', 'HEAD'], paths: ['/v1/products/{*}'] } }],
          },
          {
            from: [{ source: { principals: ['demo.example/ns/shop/sa/orders'] } }],
            to: [
              { operation: { ports: ['8081'], methods: ['GET', 'HEAD'], paths: ['/v1/products/{*}'] } },
              { operation: { ports: ['8081'], methods: ['GET', 'HEAD'], paths: ['/v1/products'] } },
            ],
          },
          {
            from: [{ source: { principals: ['demo.example/ns/shop/sa/orders'] } }],
            to: [
              {
                operation: {
                  ports: ['50051'],
                  methods: ['POST'],
                  paths: ['/test.catalog.v1.CatalogService/GetProduct'],
                },
              },
            ],
          },
        ]);
        expect(objectOf(rendered, cluster, 'Sidecar', 'inventory')).toHaveProperty('spec.egress', [
          { hosts: ['goods/catalog.goods.svc.cluster.local'] },
        ]);
        expect(objectOf(rendered, cluster, 'Service', 'catalog')?.metadata.annotations).toEqual({
          'networking.istio.io/exportTo': '.,istio-eastwest,shop',
        });
      }
      expectGolden(
        import.meta.url,
        'http-callers',
        objectsOf(rendered, 'east').filter(
          ({ kind, metadata }) => [metadata.name, kind].join() === 'catalog,AuthorizationPolicy',
        ),
      );
    });
  });

  test('of what has no HTTP path is a problem', () => {
    withProject({}, (root) => {
      const { mesh, catalog, inventory, orders } = shopOf(root);
      const loose = (method: unknown) => method as Method<'unary', 'east' | 'west'>;
      orders.callsHttp(inventory.method.getStock, loose(catalog.method.watchPrices));
      inventory.callsHttp(loose((catalog.method as unknown as Record<string, unknown>)['getProdukt']));
      inventory.callsHttp(orders.method.getOrder);
      expect(problemsOf(mesh)).toEqual([
        'demo/shop/inventory: callsHttp[0]: demo/goods/catalog has no such method; received "getProdukt"; ' +
          'allowed getProduct, listProducts, watchPrices; fix: did you mean getProduct?',
        'demo/shop/orders: callsHttp[0]: demo/shop/inventory has no HTTP gateway; ' +
          'received "test.inventory.v1.InventoryService.GetStock"; ' +
          'fix: add httpGateway: true to apps/inventory/config.yml, or use calls',
        'demo/shop/orders: callsHttp[1]: the method streams, and only unary methods can be called over HTTP inside the mesh; ' +
          'received "test.catalog.v1.CatalogService.WatchPrices"; fix: use calls, or expose it at an HttpEdge',
      ]);
    });
  });

  test('of a method without a google.api.http rule is a problem', () => {
    withProject({ inventory: { httpGateway: true } }, (root) => {
      const { mesh, inventory, orders } = shopOf(root);
      const { reserve, ...others } = inventory.method;
      expect(Object.keys(others)).toEqual(['getStock', 'importStock', 'syncStock']);
      const bare = { ...reserve, descriptor: { ...reserve.descriptor, proto: { options: undefined } } };
      orders.callsHttp(bare as unknown as typeof reserve);
      expect(problemsOf(mesh)).toEqual([
        'demo/shop/orders: callsHttp[0]: the method has no google.api.http rule, and therefore no HTTP path; ' +
          'received "test.inventory.v1.InventoryService.Reserve"; fix: add one to the proto, or use calls',
      ]);
    });
  });
});

test("a call by HTTP of a path that is the gateway's own is a problem", () => {
  withProject({ inventory: { httpGateway: true } }, (root) => {
    const { mesh, inventory, orders } = shopOf(root);
    const { reserve } = inventory.method;
    const { proto } = libraryOf({ Taken: { pattern: { case: 'get', value: '/{product_id}' } } }).methods[0]!;
    const taken = { ...reserve, descriptor: { ...reserve.descriptor, proto } };
    orders.callsHttp(taken);
    expect(problemsOf(mesh)).toEqual([
      'demo/shop/orders: callsHttp[0]: test.inventory.v1.InventoryService/Reserve: the path takes /healthz, which the gateway itself answers; ' +
        'received "/{product_id}"; fix: begin it with a prefix such as /v1',
    ]);
  });
});

describe('ExternalService', () => {
  test('is known to its declared callers alone, in every cluster', () => {
    withProject({}, (root) => {
      const { mesh, catalog, orders } = shopOf(root);
      const external = new ExternalService(mesh.namespace('bank'), 'payments', payments);
      const audit = new ExternalService(mesh.namespace('audit'), 'trail', {
        host: 'trail.example',
        port: 9000,
        protocol: 'GRPC',
        addresses: ['192.0.2.7', '2001:db8::7'],
      });
      orders.calls(catalog.method.getProduct);
      orders.callsExternal(external, audit);
      const rendered = synthesize(mesh);
      for (const cluster of ['east', 'west']) {
        expect(objectOf(rendered, cluster, 'ServiceEntry', 'payments')?.['spec']).toEqual({
          hosts: ['payments.example'],
          location: 'MESH_EXTERNAL',
          ports: [{ number: 443, name: 'tls', protocol: 'TLS' }],
          resolution: 'DNS',
          exportTo: ['.', 'shop'],
        });
        expect(objectOf(rendered, cluster, 'ServiceEntry', 'trail')?.['spec']).toMatchObject({
          resolution: 'STATIC',
          endpoints: [{ address: '192.0.2.7' }, { address: '2001:db8::7' }],
        });
        expect(objectOf(rendered, cluster, 'Sidecar', 'orders')).toHaveProperty('spec.egress', [
          {
            hosts: ['audit/trail.example', 'bank/payments.example', 'goods/catalog.goods.svc.cluster.local'],
          },
        ]);
        expect(objectOf(rendered, cluster, 'Sidecar', 'inventory')).toHaveProperty('spec.egress', [
          { hosts: ['~/*'] },
        ]);
      }
      expectGolden(
        import.meta.url,
        'external-service',
        objectsOf(rendered, 'west').filter(({ kind }) => kind === 'ServiceEntry'),
      );
    });
  });

  const host = 'allowed a fully qualified host name in lower case, such as payments.example';
  test.each<[string, Record<string, unknown>, string]>([
    [
      'a wildcard',
      { host: '*.payments.example' },
      `host: is a wildcard, which would allow calls to hosts that nobody reviewed; received "*.payments.example"; ${host}; fix: declare each host separately`,
    ],
    [
      'an IP address',
      { host: '192.0.2.7' },
      `host: is an IP address, but proxies tell external services apart by host name; received "192.0.2.7"; ${host}; fix: give a host name, and list the address in addresses`,
    ],
    [
      'a name within the clusters',
      { host: 'catalog.goods.svc.cluster.local' },
      'host: is a name inside the clusters; received "catalog.goods.svc.cluster.local"; fix: declare the service in the mesh, and allow the call with calls',
    ],
    ['a bare name', { host: 'payments' }, `host: is not a host name; received "payments"; ${host}`],
    ['no name', { host: 7 }, `host: is not a host name; received 7; ${host}`],
    [
      'no port',
      { port: 0 },
      'port: is not a port; received 0; allowed a whole number from 1 to 65535, except 15000 to 15099',
    ],
    [
      'HTTPS',
      { protocol: 'HTTPS' },
      'protocol: is not a protocol for an external service; received "HTTPS"; allowed GRPC, HTTP, TLS; fix: use TLS, which includes HTTPS',
    ],
    [
      'another protocol',
      { protocol: 'gprc' },
      'protocol: is not a protocol for an external service; received "gprc"; allowed GRPC, HTTP, TLS; fix: did you mean GRPC?',
    ],
    [
      'no address',
      { addresses: [] },
      'addresses: is not a list of at least one address; received []; fix: list one, or leave addresses out to resolve the host by DNS',
    ],
    [
      'a wrong address',
      { addresses: ['192.0.2.256'] },
      'addresses: is not an IP address; received "192.0.2.256"; allowed IPv4 and IPv6 addresses',
    ],
    [
      'an address twice',
      { addresses: ['192.0.2.7', '192.0.2.7'] },
      'addresses: the address is listed twice; received "192.0.2.7"; fix: remove one',
    ],
  ])('refuses %s', (_, wrong, message) => {
    withProject({}, (root) => {
      const { mesh, shop } = shopOf(root);
      new ExternalService(shop, 'payments', { ...payments, ...wrong });
      expect(problemsOf(mesh)).toEqual([`demo/shop/payments: ${message}`]);
    });
  });

  test.each([
    [
      { port: 5432 },
      'protocol: port 5432 is the port of PostgreSQL, which begins in plaintext: the proxy waits for a TLS ClientHello, ' +
        'whose SNI names the host, and gets none; received "TLS"; ' +
        'fix: use a port where TLS starts at once, or run a proxy for this service',
    ],
    [
      { protocol: 'HTTP' },
      'protocol: port 443 is the port of HTTPS, but HTTP means plaintext here; received "HTTP"; allowed TLS; ' +
        'fix: use TLS, or the plaintext port',
    ],
    ...[15001, 15021].map((port): [object, string] => [
      { port },
      'port: is a port that Istio uses in every pod (15000 to 15099): calls to it would end at the proxy; ' +
        `received ${port}; allowed a whole number from 1 to 65535, except 15000 to 15099; fix: reach the service on another port`,
    ]),
  ])('D9: refuses what cannot work: %j', (wrong, message) => {
    withProject({}, (root) => {
      const { mesh, shop } = shopOf(root);
      new ExternalService(shop, 'payments', { ...payments, ...wrong });
      expect(problemsOf(mesh)).toEqual([`demo/shop/payments: ${message}`]);
    });
  });

  test('refuses a name or a host that its namespace has already', () => {
    withProject({}, (root) => {
      const { mesh, shop } = shopOf(root);
      new ExternalService(shop, 'orders', payments);
      new ExternalService(shop, 'bank', payments);
      expect(problemsOf(mesh)).toEqual([
        'demo/shop/orders: the namespace has two services of this name; received "orders"; fix: rename one',
        'demo/shop/bank: host: is already the host of demo/shop/orders; received "payments.example"; fix: declare it once and share it',
      ]);
    });
  });

  test('callsExternal is checked, whoever wrote it', () => {
    withProject({}, (root) => {
      const { mesh, shop, catalog, orders } = shopOf(root);
      const other = shopOf(root);
      const bank = mesh.namespace('bank');
      const foreign = new ExternalService(other.shop, 'payments', payments);
      const first = new ExternalService(shop, 'payments', payments);
      const second = new ExternalService(bank, 'payments', payments);
      const shared = new ExternalService(bank, 'ledger', {
        ...payments,
        host: 'ledger.example',
        port: 50051,
      });
      orders.calls(catalog.method.getProduct);
      orders.callsExternal('payments' as unknown as typeof first, foreign, first, second, shared);
      orders.callsExternal(catalog as unknown as typeof first);
      const where = 'demo/shop/orders: callsExternal';
      expect(problemsOf(mesh)).toEqual([
        `${where}[0]: is not an external service; received "payments"; allowed an ExternalService of this mesh`,
        `${where}[1]: is an external service of another mesh; received "demo/shop/payments"; fix: declare it in this mesh`,
        `${where}[2]: has the same host as demo/shop/payments, which the workload also calls; received "demo/shop/payments"; fix: call only one of them`,
        `${where}[3]: has the same host as demo/shop/payments, which the workload also calls; received "demo/bank/payments"; fix: call only one of them`,
        `${where}[4]: speaks TLS on port 50051, where the workload also calls plaintext HTTP or gRPC services: one listener of its proxy cannot do both; ` +
          'received "demo/bank/ledger"; fix: move one of them to another port',
        `${where}[5]: is not an external service; received "demo/goods/catalog"; allowed an ExternalService of this mesh`,
      ]);
    });
  });

  test.each<[ExternalServiceProps['protocol'], ExternalServiceProps['protocol'], boolean]>([
    ['TLS', 'TLS', false],
    ['TLS', 'HTTP', true],
    ['GRPC', 'TLS', true],
    ['GRPC', 'HTTP', false],
  ])('%s and %s on one port of two hosts: refused is %s', (first, second, isRefused) => {
    withProject({}, (root) => {
      const { mesh, shop, orders } = shopOf(root);
      const [one, two] = [first, second].map(
        (protocol, index) =>
          new ExternalService(shop, `bank-${index}`, { host: `bank-${index}.example`, port: 8080, protocol }),
      );
      const elsewhere = new ExternalService(shop, 'till', {
        host: 'till.example',
        port: 8081,
        protocol: 'TLS',
      });
      orders.callsExternal(one!, two!, elsewhere);
      const index = first === 'TLS' ? 0 : 1;
      expect(problemsOf(mesh)).toEqual(
        isRefused
          ? [
              `demo/shop/orders: callsExternal[${index}]: speaks TLS on port 8080, where the workload also calls plaintext HTTP or gRPC services: ` +
                `one listener of its proxy cannot do both; received "demo/shop/bank-${index}"; fix: move one of them to another port`,
            ]
          : [],
      );
    });
  });
});
