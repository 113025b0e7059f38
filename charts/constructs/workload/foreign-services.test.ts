import { expect, test } from '@jest/globals';
import { CatalogService } from '../../../gen/test/catalog/v1/catalog_pb.js';
import { InventoryService } from '../../../gen/test/inventory/v1/inventory_pb.js';
import { OrdersService } from '../../../gen/test/orders/v1/orders_pb.js';
import { hole, rememberHoles } from '../../holes.ts';
import { synthesize } from '../../synth.ts';
import { image, meshWith, podOf, spec, type Rendered } from '../../testing/foreign.ts';
import { objectsOf, problemsOf, twoClusters } from '../../testing/mesh.ts';
import { withProject } from '../../testing/project.ts';
import { HttpEdge } from '../edge/http-edge.ts';
import { ServiceLimits } from '../rate-limits/service-limits.ts';
import { TrafficPolicy } from '../traffic/traffic-policy.ts';
import { GrpcService } from './grpc-service.ts';
import { MutualTls } from './mutual-tls.ts';

test('callers use the port of the Service, and what policies of its proxy go by is that of the container', () => {
  const rendered = meshWith((shop) => {
    const cart = new GrpcService(shop, 'cart', {
      image,
      service: OrdersService,
      port: 7070,
      servicePort: 80,
    });
    const orders = new GrpcService(shop, 'orders', { app: 'apps/orders', service: OrdersService });
    orders.calls(cart.method.getOrder);
    new MutualTls(cart, 'tls', { mode: 'STRICT', ports: { grpc: 'PERMISSIVE' } });
    new ServiceLimits(cart, 'limits', { rateLimits: [{ by: 'client', perSecond: 5 }] });
    new HttpEdge(shop, 'edge', { expose: [cart.method.listOrders] });
  });
  expect(spec(rendered, 'Service')).toMatchObject({
    ports: [{ name: 'grpc', port: 80, targetPort: 'grpc', appProtocol: 'grpc' }],
  });
  const rules = (
    spec(rendered, 'AuthorizationPolicy') as { rules: { to: { operation: { ports: string[] } }[] }[] }
  ).rules;
  expect(rules.flatMap(({ to }) => to.map(({ operation }) => operation.ports))).toEqual([['7070'], ['7070']]);
  expect(spec(rendered, 'PeerAuthentication', 'cart-mutual-tls')).toMatchObject({
    portLevelMtls: { 7070: { mode: 'PERMISSIVE' } },
  });
  expect(JSON.stringify(spec(rendered, 'EnvoyFilter', 'cart.limits'))).toContain('"portNumber":7070');
  const upstream = podOf(rendered, 'edge').spec.containers[0]?.env?.find(({ name }) => name === 'UPSTREAMS');
  expect(upstream).toMatchObject({ value: 'test.orders.v1.OrdersService=cart.shop.svc.cluster.local:80' });
});

test('versions have images of their own, none of which is in the lock', () => {
  const rendered = meshWith((shop) => {
    const cart = new GrpcService(shop, 'cart', {
      ...{ image, service: OrdersService, port: 7070 },
      versions: { v1: {}, v2: { image: 'registry.example/cart:2.0.0', replicas: 2 } },
    });
    new TrafficPolicy(cart, 'traffic', { weights: { v1: 90, v2: 10 } });
  });
  expect(podOf(rendered, 'cart-v1').spec.containers[0]?.image).toBe(image);
  expect(podOf(rendered, 'cart-v2').spec.containers[0]).toMatchObject({
    image: 'registry.example/cart:2.0.0',
    lifecycle: { preStop: { sleep: { seconds: 10 } } },
  });
});

test('the HTTP gateway stands beside it, and ends before it', () => {
  const rendered = meshWith((shop) => {
    const cart = new GrpcService(shop, 'cart', {
      ...{ image, services: [OrdersService, CatalogService], httpGateway: true, metrics: { port: 9464 } },
      ports: { grpc: 7070, http: 8090 },
    });
    const orders = new GrpcService(shop, 'orders', { app: 'apps/orders', service: OrdersService });
    orders.callsHttp(cart.methodsOf(CatalogService).getProduct, cart.methodsOf(OrdersService).getOrder);
  });
  const { metadata, spec: pod } = podOf(rendered);
  const [own, gateway] = pod.containers;
  expect(own).toMatchObject({ name: 'cart', image, lifecycle: { preStop: { sleep: { seconds: 11 } } } });
  expect(gateway).toMatchObject({ name: 'http-gateway', ports: [{ name: 'http', containerPort: 8090 }] });
  expect(gateway).not.toHaveProperty('lifecycle');
  expect(gateway?.env).toContainEqual({
    name: 'UPSTREAMS',
    value: 'test.orders.v1.OrdersService=127.0.0.1:7070,test.catalog.v1.CatalogService=127.0.0.1:7070',
  });
  expect(metadata.annotations['prometheus.istio.io/scrape-targets']).toBe('9464:/metrics,9465:/metrics');
  expect(spec(rendered, 'Service')).toMatchObject({
    ports: [
      { name: 'grpc', port: 7070 },
      { name: 'http', port: 8090 },
    ],
  });
});

test('several proto services on one server are granted by their methods, and exposed by an edge that has some', () => {
  const rendered = meshWith((shop) => {
    const both = new GrpcService(shop, 'cart', {
      image,
      services: [OrdersService, CatalogService],
      port: 7070,
    });
    const inventory = new GrpcService(shop, 'inventory', {
      app: 'apps/inventory',
      service: InventoryService,
    });
    inventory.calls(both.methodsOf(OrdersService).getOrder, both.methodsOf(CatalogService).getProduct);
    new HttpEdge(shop, 'edge', { expose: [both.methodsOf(CatalogService).getProduct] });
  });
  const policy = spec(rendered, 'AuthorizationPolicy') as {
    rules: { from: { source: { principals: string[] } }[]; to: { operation: { paths: string[] } }[] }[];
  };
  expect(policy.rules.map(({ from, to }) => [from[0]?.source.principals[0], to[0]?.operation.paths])).toEqual(
    [
      ['demo.example/ns/shop/sa/edge', ['/test.catalog.v1.CatalogService/GetProduct']],
      [
        'demo.example/ns/shop/sa/inventory',
        ['/test.catalog.v1.CatalogService/GetProduct', '/test.orders.v1.OrdersService/GetOrder'],
      ],
    ],
  );
  const upstream = podOf(rendered, 'edge').spec.containers[0]?.env?.find(({ name }) => name === 'UPSTREAMS');
  expect(upstream).toMatchObject({
    value: 'test.catalog.v1.CatalogService=cart.shop.svc.cluster.local:7070',
  });
});

test('an app folder of ours may serve several, too', () => {
  const both = ['test.catalog.v1.CatalogService', 'test.orders.v1.OrdersService'];
  withProject({ orders: { services: both } }, (root) => {
    const mesh = twoClusters(root);
    const services = [CatalogService, OrdersService];
    const orders = new GrpcService(mesh.namespace('shop'), 'orders', { app: 'apps/orders', services });
    expect(problemsOf(mesh)).toEqual([]);
    expect(orders.methods.map(({ descriptor }) => descriptor.parent.typeName)).toEqual(
      [...CatalogService.methods, ...OrdersService.methods].map(({ parent }) => parent.typeName),
    );
    expect(mesh.model().workloads[0]).toMatchObject({ services: both });
  });
});

test('a config.yml says the same as code', () => {
  const said = { port: 7070, servicePort: 80, env: { MODE: 'fast' }, user: 1000 };
  const inCode = meshWith(
    (shop) => new GrpcService(shop, 'cart', { image, service: OrdersService, ...said }),
  );
  const cart = {
    services: ['test.orders.v1.OrdersService'],
    ...said,
    image,
    ports: undefined,
    resources: undefined,
  };
  const inFile = withProject({ cart }, (root) => {
    const mesh = twoClusters(root);
    new GrpcService(mesh.namespace('shop'), 'cart', { app: 'apps/cart', service: OrdersService });
    expect(mesh.model().workloads[0]).not.toHaveProperty('app');
    expect(mesh.model().images.map(({ app }) => app)).toEqual(['apps/gateway']);
    return synthesize(mesh);
  });
  const of = (rendered: Rendered) => ['east', 'west'].map((cluster) => objectsOf(rendered, cluster, 'shop'));
  expect(of(inFile)).toEqual(of(inCode));
});

test('a hole in an image is kept until it is filled', () => {
  withProject({}, (root) => {
    const mesh = twoClusters(root);
    rememberHoles(mesh, { environment: 'prod', names: ['registry'] });
    new GrpcService(mesh.namespace('shop'), 'cart', {
      ...{ image: `${hole('registry')}/cart:1.4.0`, service: OrdersService, port: 7070 },
    });
    expect(podOf(synthesize(mesh)).spec.containers[0]?.image).toBe('registry.hole.invalid/cart:1.4.0');
  });
});
