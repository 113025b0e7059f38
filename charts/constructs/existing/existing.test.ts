import { describe, expect, test } from '@jest/globals';
import { InventoryService } from '../../../gen/test/inventory/v1/inventory_pb.js';
import { OrdersService } from '../../../gen/test/orders/v1/orders_pb.js';
import { synthesize } from '../../synth.ts';
import { expectGolden } from '../../testing/golden.ts';
import { onExisting } from '../../testing/existing.ts';
import { catalogIn, objectOf, objectsOf, problemsOf, twoClusters } from '../../testing/mesh.ts';
import { withProject } from '../../testing/project.ts';
import { HttpEdge } from '../edge/http-edge.ts';
import { GrpcService } from '../workload/grpc-service.ts';
import { existingCaller } from './existing-caller.ts';
import { existingService } from './existing-service.ts';

/** Orders, and in a namespace beside theirs a stock of others and a batch job of others. */
function shopOf(root: string) {
  const mesh = twoClusters(root);
  const shop = mesh.namespace('shop');
  mesh.namespace('team-a');
  const orders = new GrpcService(shop, 'orders', { app: 'apps/orders', service: OrdersService });
  const stock = existingService(mesh, { namespace: 'team-a', name: 'stock', service: InventoryService });
  const batch = existingCaller(mesh, { namespace: 'team-a', serviceAccount: 'batch' });
  return { mesh, shop, orders, stock, batch };
}

test('a service of others is in the Sidecar of its caller, and nothing else of the mesh is about it', () => {
  withProject({}, (root) => {
    const { mesh, orders, stock } = shopOf(root);
    const before = synthesize(mesh);
    orders.calls(stock.method.getStock);
    const rendered = synthesize(mesh);
    for (const cluster of ['east', 'west']) {
      expect(objectOf(rendered, cluster, 'Sidecar', 'orders')).toHaveProperty('spec.egress', [
        { hosts: ['team-a/stock.team-a.svc.cluster.local'] },
      ]);
      // The namespace alone is ours.
      expect(objectsOf(rendered, cluster, 'team-a').map(({ kind }) => kind)).toEqual(['Namespace']);
      const others = objectsOf(rendered, cluster).filter(({ kind }) => kind !== 'Sidecar');
      const differ = others.filter((object, index) => {
        const then = objectsOf(before, cluster).filter(({ kind }) => kind !== 'Sidecar');
        return JSON.stringify(object) !== JSON.stringify(then[index]);
      });
      // Metrics of the caller by the methods that it calls.
      expect(differ.map(({ kind, metadata }) => `${kind} ${metadata.name}`)).toEqual(['EnvoyFilter orders']);
    }
  });
});

test('a caller of others is let in by its identity, to the methods that it is declared with, and sees the host', () => {
  withProject({}, (root) => {
    const { mesh, shop, batch } = shopOf(root);
    const catalog = catalogIn(shop);
    batch.calls(catalog.method.listProducts);
    const rendered = synthesize(mesh);
    for (const cluster of ['east', 'west']) {
      expect(objectOf(rendered, cluster, 'AuthorizationPolicy', 'catalog')).toHaveProperty('spec.rules', [
        {
          from: [{ source: { principals: ['demo.example/ns/team-a/sa/batch'] } }],
          to: [
            {
              operation: {
                methods: ['POST'],
                paths: ['/test.catalog.v1.CatalogService/ListProducts'],
                ports: ['50051'],
              },
            },
          ],
        },
      ]);
      const exported = ['.', 'istio-eastwest', 'team-a'];
      expect(objectOf(rendered, cluster, 'Service', 'catalog')?.metadata.annotations).toEqual({
        'networking.istio.io/exportTo': exported.join(','),
      });
      expect(objectOf(rendered, cluster, 'DestinationRule', 'catalog')).toHaveProperty(
        'spec.exportTo',
        exported,
      );
      expect(objectsOf(rendered, cluster, 'team-a').map(({ kind }) => kind)).toEqual(['Namespace']);
    }
    expectGolden(
      import.meta.url,
      'caller',
      objectsOf(rendered, 'east').filter(({ metadata }) => metadata.name === 'catalog'),
    );
  });
});

test('an edge exposes a service of others by its paths, all or some', () => {
  withProject({}, (root) => {
    const { mesh, shop, stock } = shopOf(root);
    new HttpEdge(shop, 'edge', { expose: [stock] });
    new HttpEdge(shop, 'other', { expose: [stock.method.getStock], hosts: ['stock.example'] });
    const rendered = synthesize(mesh);
    for (const name of ['edge', 'other']) {
      const pod = JSON.stringify(objectOf(rendered, 'east', 'Deployment', name));
      expect(pod).toContain('test.inventory.v1.InventoryService=stock.team-a.svc.cluster.local:50051');
      expect(objectOf(rendered, 'east', 'Sidecar', name)).toHaveProperty('spec.egress', [
        { hosts: ['team-a/stock.team-a.svc.cluster.local'] },
      ]);
    }
  });
});

test('on an Istio of others, namespaces that the mesh does not declare are theirs, and nothing of ours is in them', () => {
  withProject({}, (root) => {
    const mesh = onExisting(root);
    const shop = mesh.namespace('shop');
    const catalog = catalogIn(shop);
    const ledger = existingService(mesh, { namespace: 'bank', name: 'ledger', service: InventoryService });
    catalog.calls(ledger.method.getStock);
    const reports = existingCaller(mesh, { namespace: 'team-b', serviceAccount: 'reports' });
    reports.calls(catalog.method.listProducts);
    const rendered = synthesize(mesh);
    for (const cluster of ['east', 'west']) {
      for (const namespace of ['bank', 'team-b']) expect(objectsOf(rendered, cluster, namespace)).toEqual([]);
      expect(objectOf(rendered, cluster, 'Sidecar', 'catalog')).toHaveProperty('spec.egress', [
        { hosts: ['bank/ledger.bank.svc.cluster.local'] },
      ]);
      const policies = JSON.stringify(objectOf(rendered, cluster, 'AuthorizationPolicy', 'catalog'));
      expect(policies).toContain('cluster.local/ns/team-b/sa/reports');
    }
  });
});

test('the model tells who calls what, where it is, and how it is tried', () => {
  withProject({}, (root) => {
    const { mesh, shop, orders } = shopOf(root);
    const catalog = catalogIn(shop);
    const ledger = existingService(mesh, {
      namespace: 'team-a',
      name: 'ledger',
      service: InventoryService,
      port: 9000,
      placement: ['west'],
    });
    const caller = new GrpcService(shop, 'inventory', {
      app: 'apps/inventory',
      service: InventoryService,
      placement: ['west'],
    });
    caller.calls(ledger.method.getStock, ledger.method.reserve);
    orders.calls(catalog.method.getProduct);
    existingCaller(mesh, { namespace: 'team-a', serviceAccount: 'reports' }).calls(
      catalog.method.getProduct,
      catalog.method.listProducts,
    );
    const { existingServices, existingCallers, workloads } = mesh.model();
    expect(existingServices?.filter(({ name }) => name === 'ledger')).toEqual([
      {
        name: 'ledger',
        namespace: 'team-a',
        port: 9000,
        clusters: ['west'],
        callers: [
          {
            where: 'demo/shop/inventory',
            principal: 'demo.example/ns/shop/sa/inventory',
            namespace: 'shop',
            clusters: ['west'],
          },
        ],
      },
    ]);
    expect(existingCallers?.filter(({ serviceAccount }) => serviceAccount === 'reports')).toEqual([
      { namespace: 'team-a', serviceAccount: 'reports', callees: ['demo/shop/catalog'] },
    ]);
    expect(workloads.find(({ name }) => name === 'inventory')?.calls).toEqual([
      {
        workload: 'ledger',
        namespace: 'team-a',
        port: 9000,
        path: '/test.inventory.v1.InventoryService/GetStock',
        answeredBy: 'service',
        existing: true,
      },
    ]);
  });
});

test('a mesh without either says nothing of them', () => {
  const model = twoClusters('.').model();
  expect(model).not.toHaveProperty('existingServices');
  expect(model).not.toHaveProperty('existingCallers');
});

describe('refused', () => {
  const serviceAt = 'demo/existingService(team-a/stock)';

  test('a namespace that is not of a mesh with an Istio of its own, and the near one is named', () => {
    withProject({}, (root) => {
      const { mesh } = shopOf(root);
      existingService(mesh, { namespace: 'team-b', name: 'stock', service: InventoryService });
      existingCaller(mesh, { namespace: 'monitoring', serviceAccount: 'batch' });
      const what =
        'is not one of the mesh, whose own Istio sees no other (discoverySelectors); received "NAME"; allowed shop, team-a; fix: ';
      const declare = 'eclare it with mesh.namespace, and let its owners deploy into it';
      expect(problemsOf(mesh)).toEqual([
        `demo/existingService(team-b/stock): namespace: ${what.replace('NAME', 'team-b')}did you mean team-a? Or d${declare}`,
        `demo/existingCaller(monitoring/batch): namespace: ${what.replace('NAME', 'monitoring')}d${declare}`,
      ]);
    });
  });

  test('a caller in a cluster that the service is not in', () => {
    withProject({}, (root) => {
      const { mesh, orders } = shopOf(root);
      const ledger = existingService(mesh, {
        namespace: 'team-a',
        name: 'ledger',
        service: InventoryService,
        placement: ['west'],
      });
      orders.calls(ledger.method.getStock);
      expect(problemsOf(mesh)).toEqual([
        'demo/shop/orders: calls: calls demo/existingService(team-a/ledger), whose name resolves to nothing in clusters that its Service is not in; ' +
          'received ["east"]; allowed west; fix: have its owners put the Service into east, too, or run the caller only where it is',
      ]);
    });
  });

  test('what is a workload of the mesh, what is declared twice, and what others decide', () => {
    withProject({}, (root) => {
      const { mesh, batch, stock, orders } = shopOf(root);
      existingService(mesh, { namespace: 'shop', name: 'orders', service: OrdersService });
      existingCaller(mesh, { namespace: 'shop', serviceAccount: 'orders' });
      existingService(mesh, { namespace: 'team-a', name: 'stock', service: InventoryService });
      existingCaller(mesh, { namespace: 'team-a', serviceAccount: 'batch' });
      existingCaller(mesh, { namespace: 'team-a', serviceAccount: 'default' });
      batch.calls(stock.method.getStock);
      orders.callsHttp(stock.method.getStock);
      expect(problemsOf(mesh)).toEqual([
        'demo/shop/orders: callsHttp[0]: demo/existingService(team-a/stock) belongs to others, and is known to serve gRPC only; ' +
          'received "test.inventory.v1.InventoryService.GetStock"; fix: use calls',
        'demo/existingCaller(team-a/batch): calls[0]: is a method of a service of others, and who may call that is for its owners to say; ' +
          'received "demo/existingService(team-a/stock)"; fix: remove it',
        'demo/existingService(shop/orders): is a service of the mesh: demo/shop/orders; fix: call it by its own methods',
        'demo/existingCaller(shop/orders): is the account of demo/shop/orders; fix: use the calls of that service',
        `${serviceAt}: is declared twice; fix: declare it once and share it`,
        'demo/existingCaller(team-a/batch): is declared twice; fix: declare it once and share it',
        'demo/existingCaller(team-a/default): serviceAccount: is the account of every pod that has none of its own, so that all of them could call; ' +
          'received "default"; fix: have its owners give it an account of its own',
      ]);
    });
  });

  test('a misspelled method, as of any service', () => {
    withProject({}, (root) => {
      const { mesh, orders, stock } = shopOf(root);
      orders.calls((stock.method as unknown as Record<'getStok', typeof stock.method.getStock>).getStok);
      expect(problemsOf(mesh)).toEqual([
        `demo/shop/orders: calls[0]: ${serviceAt} has no such method; received "getStok"; ` +
          'allowed getStock, reserve, importStock, syncStock; fix: did you mean getStock?',
      ]);
    });
  });
});
