import { describe, expect, test } from '@jest/globals';
import { InventoryService } from '../../../gen/test/inventory/v1/inventory_pb.js';
import { OrdersService } from '../../../gen/test/orders/v1/orders_pb.js';
import { declareCart, image, refused, type Clusters, type Shop } from '../../testing/foreign.ts';
import { problemsOf, twoClusters } from '../../testing/mesh.ts';
import { withProject } from '../../testing/project.ts';
import { HttpEdge } from '../edge/http-edge.ts';
import type { Mesh } from '../mesh.ts';
import { GrpcService, type GrpcServiceProps } from './grpc-service.ts';

describe('what is refused', () => {
  // Plain JavaScript may pass anything.
  const declared = (props: object) => (shop: Shop) =>
    new GrpcService(shop, 'cart', props as GrpcServiceProps<typeof OrdersService, Clusters>);

  test('two sources of one container', () => {
    const both = { app: 'apps/orders', image, port: 7070, replicas: 2, service: OrdersService };
    expect(refused(declared(both))).toEqual([
      'demo/shop/cart: image: cannot be combined with app, whose config.yml says what its container is; fix: keep one',
      'demo/shop/cart: port: cannot be combined with app, whose config.yml says what its container is; fix: remove it, and say it in apps/orders/config.yml',
      'demo/shop/cart: replicas: cannot be combined with app, whose config.yml says what its container is; fix: remove it, and say it in apps/orders/config.yml',
    ]);
  });

  test('a reference that may change, and misspelt keys at any depth, all at once', () => {
    const wrong = {
      image: 'cart:latest',
      service: OrdersService,
      prot: 7070,
      resources: { requests: { cpu: '1', memroy: '1Gi' }, limits: { memory: '2Gi' } },
    };
    expect(refused(declared(wrong))).toEqual([
      'demo/shop/cart: resources.requests.memory: missing; allowed a Kubernetes quantity as text, at least "16Mi", such as "128Mi"',
      'demo/shop/cart: resources.requests.memroy: unknown key; allowed cpu, memory; fix: did you mean memory?',
      'demo/shop/cart: image: the tag latest may be moved to another image; received "cart:latest"; allowed NAME:TAG or NAME@sha256:DIGEST, with or without a registry; a tag that is never moved',
      'demo/shop/cart: port: missing; allowed the port on which its gRPC server listens',
      'demo/shop/cart: prot: unknown key; received "prot"; allowed image, service, services, placement, versions, tracing, pod, clusters, imagePullSecrets, port, ports, ' +
        'servicePort, env, resources, replicas, autoscaling, shutdown, command, args, probes, user, metrics, httpGateway; fix: did you mean port?',
    ]);
  });

  test('a container without an image', () => {
    expect(refused(declared({ service: OrdersService, port: 7070 }))).toEqual([
      'demo/shop/cart: image: missing; allowed NAME:TAG or NAME@sha256:DIGEST, with or without a registry; a tag that is never moved',
    ]);
  });

  test('services that are none, twice there, or both ways', () => {
    const rule = 'allowed a service that is generated from proto/, such as CatalogService in catalog_pb.js';
    const at = { image, port: 7070 };
    expect(refused(declared({ ...at, services: [] }))).toEqual([
      `demo/shop/cart: services: is not a list of descriptors of proto services; received []; ${rule}`,
    ]);
    expect(refused(declared({ ...at, services: [OrdersService, 'CatalogService', OrdersService] }))).toEqual([
      `demo/shop/cart: services[1]: is not the descriptor of a proto service; received "CatalogService"; ${rule}`,
      'demo/shop/cart: services[2]: listed twice; fix: remove one',
    ]);
    expect(refused(declared({ ...at, service: OrdersService, services: [OrdersService] }))).toEqual([
      'demo/shop/cart: service: cannot be combined with services; fix: keep one',
    ]);
  });

  test('methods of a proto service that it does not serve', () => {
    expect(
      refused((shop) => {
        const { cart, orders } = declareCart(shop);
        const methods = cart.methodsOf(InventoryService as unknown as typeof OrdersService);
        orders.calls((methods as unknown as Record<string, typeof methods.getOrder>)['getStock']!);
      }),
    ).toEqual([
      'demo/shop/orders: calls[1]: demo/shop/cart has no such method; received "getStock"; ' +
        'allowed createOrder, getOrder, listOrders, watchQuote',
    ]);
  });

  test('calls over HTTP to one without a gateway, and ports that meet', () => {
    expect(
      refused((shop) => {
        const { cart, orders } = declareCart(shop);
        orders.callsHttp(cart.method.getOrder);
      }),
    ).toEqual([
      'demo/shop/orders: callsHttp[0]: demo/shop/cart has no HTTP gateway; received "test.orders.v1.OrdersService.GetOrder"; ' +
        'fix: add httpGateway: true to its declaration, or use calls',
    ]);
    expect(refused(declared({ image, service: OrdersService, port: 8080, httpGateway: true }))).toEqual([
      'demo/shop/cart: port: ports.grpc in its declaration is also the port of its HTTP gateway; received 8080; ' +
        'fix: give ports.grpc, or ports.http there, another number',
    ]);
  });

  test('more pods of a version than the autoscaler makes', () => {
    const props = { image, service: OrdersService, port: 7070, autoscaling: { maxReplicas: 3 } };
    expect(refused(declared({ ...props, versions: { v1: { replicas: 3 } } }))).toEqual([
      'demo/shop/cart: versions.v1.replicas: not fewer than autoscaling.maxReplicas in its declaration; received 3; allowed fewer than 3; ' +
        'fix: lower it, or raise maxReplicas',
    ]);
  });

  test('what looks like a secret in its environment, and an address of the mesh that it may not call', () => {
    const env = { DB_PASSWORD: 'hunter2-hunter2', CATALOG: 'catalog.shop.svc.cluster.local:50051' };
    const found = refused((shop) => {
      declareCart(shop);
      new GrpcService(shop, 'second', {
        image,
        service: OrdersService,
        port: 7070,
        placement: ['east'],
        env,
      });
    });
    expect(found).toHaveLength(2);
    expect(found[0]).toBe(
      'demo/shop/second: Deployment shop/second: env CATALOG of container second names a host that the workload may not call; ' +
        'received "catalog.shop.svc.cluster.local"; fix: declare the call with `calls`, or remove the variable',
    );
    expect(found[1]).toBe(
      'demo/shop/second: Deployment shop/second: env DB_PASSWORD of container second has the name of a secret, in plain text; ' +
        'fix: take it from a Secret; if it is not a secret, write { value: TEXT, notSecret: REASON } in env, or list second.env.DB_PASSWORD in the annotation meshwright/not-secret, or of a workload in pod.notSecret with the reason',
    );
  });

  test('an edge whose gateway would be an image of others', () => {
    const cart = { services: [], image, port: 7070, ports: undefined, resources: undefined };
    withProject({ cart }, (root) => {
      const mesh: Mesh<Clusters> = twoClusters(root);
      const shop = mesh.namespace('shop');
      const orders = new GrpcService(shop, 'orders', { app: 'apps/orders', service: OrdersService });
      new HttpEdge(shop, 'edge', { expose: [orders], app: 'apps/cart' });
      expect(problemsOf(mesh)).toEqual([
        'demo/shop/edge: app: apps/cart/config.yml names an image, and an edge needs the HTTP gateway; received "apps/cart"; ' +
          'fix: leave app out for apps/gateway',
      ]);
    });
  });
});
