import { describe, expect, test } from '@jest/globals';
import { InventoryService } from '../../../gen/test/inventory/v1/inventory_pb.js';
import { OrdersService } from '../../../gen/test/orders/v1/orders_pb.js';
import { synthesize } from '../../synth.ts';
import { expectGolden } from '../../testing/golden.ts';
import { catalogIn, objectOf, objectsOf, problemsOf, twoClusters } from '../../testing/mesh.ts';
import { withProject } from '../../testing/project.ts';
import { allow } from './authorization.ts';
import { GrpcService } from '../workload/grpc-service.ts';
import type { Method } from '../scope/method.ts';

/** Orders in the east, which call the catalog, and stock in the west, which nobody but orders calls. */
function shopOf(root: string) {
  const mesh = twoClusters(root);
  const namespace = mesh.namespace('shop');
  const catalog = catalogIn(mesh.namespace('goods'));
  const inventory = new GrpcService(namespace, 'inventory', {
    app: 'apps/inventory',
    service: InventoryService,
    placement: ['west'],
  });
  const orders = new GrpcService(namespace, 'orders', {
    app: 'apps/orders',
    service: OrdersService,
    placement: ['east'],
  });
  return { mesh, catalog, inventory, orders };
}

test('a grant of nothing is not a rule, which would be about every request', () => {
  const principal = 'demo.example/ns/shop/sa/orders';
  const nothing = [{ paths: [] }, { http: [] }, { http: [{ paths: [] }] }];
  const grants = nothing.map((grant) => ({ ...grant, principal, port: 8081 }));
  expect(allow({ app: 'catalog' }, grants)).toEqual({
    selector: { matchLabels: { app: 'catalog' } },
    action: 'ALLOW',
    rules: [],
  });
});

describe('calls', () => {
  test('let the caller through to exactly the methods it names, in every cluster', () => {
    withProject({}, (root) => {
      const { mesh, catalog, inventory, orders } = shopOf(root);
      orders.calls(inventory.method.reserve, catalog.method.getProduct);
      orders.calls(inventory.method.getStock, inventory.method.reserve);
      const rendered = synthesize(mesh);
      for (const cluster of ['east', 'west']) {
        expect(objectOf(rendered, cluster, 'AuthorizationPolicy', 'inventory')).toMatchObject({
          metadata: { namespace: 'shop' },
          spec: {
            selector: { matchLabels: { 'app.kubernetes.io/name': 'inventory' } },
            action: 'ALLOW',
            rules: [
              {
                from: [{ source: { principals: ['demo.example/ns/shop/sa/orders'] } }],
                to: [
                  {
                    operation: {
                      methods: ['POST'],
                      paths: [
                        '/test.inventory.v1.InventoryService/GetStock',
                        '/test.inventory.v1.InventoryService/Reserve',
                      ],
                      ports: ['50051'],
                    },
                  },
                ],
              },
            ],
          },
        });
      }
      const access = objectsOf(rendered, 'east').filter(({ kind }) =>
        ['AuthorizationPolicy', 'Sidecar'].includes(kind),
      );
      expectGolden(import.meta.url, 'access', access);
    });
  });

  test('leave a service that nobody calls to the mesh, which allows nothing', () => {
    withProject({}, (root) => {
      const { mesh } = shopOf(root);
      const rendered = synthesize(mesh);
      expect(objectOf(rendered, 'east', 'AuthorizationPolicy', 'orders')).toBeUndefined();
    });
  });

  test('are all that the proxy of the caller gets to know', () => {
    withProject({}, (root) => {
      const { mesh, catalog, orders } = shopOf(root);
      orders.calls(catalog.method.getProduct, catalog.method.listProducts);
      const rendered = synthesize(mesh);
      expect(objectOf(rendered, 'west', 'Sidecar', 'orders')).toMatchObject({
        spec: {
          workloadSelector: { labels: { 'app.kubernetes.io/name': 'orders' } },
          outboundTrafficPolicy: { mode: 'REGISTRY_ONLY' },
          egress: [{ hosts: ['goods/catalog.goods.svc.cluster.local'] }],
        },
      });
      expect(objectOf(rendered, 'west', 'Sidecar', 'inventory')).toMatchObject({
        spec: { egress: [{ hosts: ['~/*'] }] },
      });
    });
  });

  test('of whole services, lists of methods and other constructs are refused by their paths', () => {
    withProject({}, (root) => {
      const { mesh, catalog, inventory, orders } = shopOf(root);
      const loose = orders as unknown as Record<'calls' | 'callsHttp', (...given: unknown[]) => void>;
      loose.calls(catalog, [inventory.method.reserve], catalog.method, null);
      loose.callsHttp(mesh);
      const what = 'is not a method, port, or route of a declared service';
      const allowed =
        'allowed SERVICE.method.NAME, SERVICE.port.NAME of a TcpService, or SERVICE.route(VERB, PATH) of an HttpService';
      expect(problemsOf(mesh)).toEqual([
        `demo/shop/orders: calls[0]: ${what}; received "demo/goods/catalog"; ${allowed}`,
        `demo/shop/orders: calls[1]: ${what}; received ["demo/shop/inventory.method.reserve"]; ${allowed}`,
        `demo/shop/orders: calls[2]: ${what}; received {"getProduct":"demo/goods/catalog.method.getProduct",` +
          `"listProducts":"demo/goods/catalog.method.listProducts","watchPric…; ${allowed}`,
        `demo/shop/orders: calls[3]: ${what}; received null; ${allowed}`,
        'demo/shop/orders: callsHttp[0]: is not a method of a declared service; received "demo"; allowed SERVICE.method.NAME',
      ]);
    });
  });

  test('from plain JavaScript are checked at synth, all together, with the nearest name', () => {
    withProject({}, (root) => {
      const { mesh, inventory, orders } = shopOf(root);
      const other = shopOf(root);
      const loose = inventory.method as unknown as Readonly<Record<string, Method<'unary', 'east' | 'west'>>>;
      orders.calls(loose['reserv']!, loose['teleport']!, other.catalog.method.getProduct);
      orders.calls('reserve' as unknown as Method<'unary', 'east' | 'west'>);
      const known = 'allowed getStock, reserve, importStock, syncStock';
      expect(problemsOf(mesh)).toEqual([
        `demo/shop/orders: calls[0]: demo/shop/inventory has no such method; received "reserv"; ${known}; fix: did you mean reserve?`,
        `demo/shop/orders: calls[1]: demo/shop/inventory has no such method; received "teleport"; ${known}`,
        'demo/shop/orders: calls[2]: is a method of a service in another mesh; received "demo/goods/catalog"; ' +
          'fix: declare the service in this mesh, or call it from outside through its edge',
        'demo/shop/orders: calls[3]: is not a method, port, or route of a declared service; received "reserve"; ' +
          'allowed SERVICE.method.NAME, SERVICE.port.NAME of a TcpService, or SERVICE.route(VERB, PATH) of an HttpService',
      ]);
    });
  });
});
