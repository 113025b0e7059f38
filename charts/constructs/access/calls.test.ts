import { describe, expect, test } from '@jest/globals';
import { synthesize } from '../../synth.ts';
import { frontIn, meshWith, ordersIn, redisIn } from '../../testing/foreign.ts';
import { expectGolden } from '../../testing/golden.ts';
import { objectOf, objectsOf, problemsOf } from '../../testing/mesh.ts';
import { withProject } from '../../testing/project.ts';
import { libraryOf } from '../../testing/library.ts';
import { callingShop as shopOf } from '../../testing/shop.ts';
import type { Method } from '../scope/method.ts';
import { ExternalService } from './external-service.ts';

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

test('a caller of services of every kind and of single ports outside is led to all of them', () => {
  const rendered = meshWith((shop) => {
    const front = frontIn(shop);
    const redis = redisIn(shop, { stateful: {}, ports: { redis: { port: 6379, servicePort: 80 } } });
    const bank = new ExternalService(shop, 'bank', {
      host: 'bank.example',
      addresses: ['192.0.2.7'],
      ports: {
        web: { port: 8080, protocol: 'HTTP', plaintext: true },
        ledger: { port: 6379, protocol: 'TCP', plaintext: true },
        own: { port: 8443, protocol: 'TLS' },
      },
    });
    const orders = ordersIn(shop);
    orders.calls(front.route('GET', '/health'), redis.port.redis, redis.pods.redis);
    orders.callsExternal(bank.port.web, bank.port.ledger);
  });
  const own = (host: string) => `shop/${host}.shop.svc.cluster.local`;
  for (const cluster of ['east', 'west']) {
    expect(objectOf(rendered, cluster, 'Sidecar', 'orders')).toHaveProperty('spec.egress', [
      // A port over TCP of a Service, or of its pods, is known by its address, and needs no listener of the port.
      { port: { number: 6379, protocol: 'TCP', name: 'tcp-6379' }, hosts: ['shop/bank.example'] },
      {
        port: { number: 8080, protocol: 'HTTP', name: 'http-8080' },
        hosts: ['shop/bank.example', own('front')],
      },
      { hosts: [own('front'), own('redis-pods'), own('redis')] },
    ]);
  }
});
