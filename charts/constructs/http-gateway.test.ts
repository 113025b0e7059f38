import { expect, test } from '@jest/globals';
import { Health } from '../../gen/grpc/health/v1/health_pb.js';
import { OrdersService } from '../../gen/shop/orders/v1/orders_pb.js';
import { synthesize } from '../synth.ts';
import { expectGolden } from '../testing/golden.ts';
import { catalogIn, objectOf, objectsOf, problemsOf, twoClusters } from '../testing/mesh.ts';
import { withProject } from '../testing/project.ts';
import { GrpcService } from './grpc-service.ts';
import { HttpGateway } from './http-gateway.ts';

test('every ingress gateway brings its traffic to the edge, which knows where each exposed service is', () => {
  withProject({}, (root) => {
    const mesh = twoClusters(root);
    const shop = mesh.namespace('shop');
    const catalog = catalogIn(mesh.namespace('goods'), { placement: ['east'] });
    const orders = new GrpcService(shop, 'orders', { app: 'apps/orders', service: OrdersService });
    new HttpGateway(shop, 'edge', { expose: [catalog, orders], placement: ['west'] });
    const rendered = synthesize(mesh);
    for (const cluster of ['east', 'west']) {
      expect(objectOf(rendered, cluster, 'Gateway', 'edge')).toMatchObject({
        spec: { selector: { istio: 'ingressgateway' }, servers: [{ port: { number: 80 }, hosts: ['*'] }] },
      });
      expect(objectOf(rendered, cluster, 'VirtualService', 'edge')).toMatchObject({
        spec: {
          gateways: ['edge'],
          http: [
            { route: [{ destination: { host: 'edge.shop.svc.cluster.local', port: { number: 8080 } } }] },
          ],
        },
      });
    }
    expect(objectOf(rendered, 'east', 'Deployment', 'edge')).toBeUndefined();
    expect(objectOf(rendered, 'west', 'Deployment', 'edge')).toMatchObject({
      spec: {
        template: {
          spec: {
            containers: [
              {
                readinessProbe: { httpGet: { path: '/readyz', port: 'http' } },
                env: expect.arrayContaining([
                  {
                    name: 'UPSTREAMS',
                    value:
                      'shop.catalog.v1.CatalogService=catalog.goods.svc.cluster.local:50051,' +
                      'shop.orders.v1.OrdersService=orders.shop.svc.cluster.local:50052',
                  },
                ]),
              },
            ],
          },
        },
      },
    });
    const edge = objectsOf(rendered, 'west', 'shop').filter(({ metadata }) => metadata.name === 'edge');
    expectGolden(import.meta.url, 'http-gateway', edge);
  });
});

test('problems with what is exposed', () => {
  withProject({}, (root) => {
    const mesh = twoClusters(root);
    const shop = mesh.namespace('shop');
    const catalog = catalogIn(shop);
    const copy = catalogIn(mesh.namespace('copy'));
    const health = new GrpcService(shop, 'health', { app: 'apps/orders', service: Health });
    new HttpGateway(shop, 'edge', { expose: [catalog, catalog, copy, health] });
    new HttpGateway(shop, 'second', { expose: [] });
    expect(problemsOf(mesh)).toEqual([
      'demo/shop/health: service: apps/orders/config.yml does not say that the app serves it; ' +
        'received "grpc.health.v1.Health"; allowed shop.orders.v1.OrdersService; ' +
        'fix: pass a service the app serves, or add grpc.health.v1.Health to services in apps/orders/config.yml',
      'demo/shop/edge: expose: the service is listed twice; received "demo/shop/catalog"; fix: remove one',
      'demo/shop/edge: expose: the service serves shop.catalog.v1.CatalogService, as does demo/shop/catalog: ' +
        'its paths would be ambiguous; received "demo/copy/catalog"; fix: expose one of them',
      'demo/shop/edge: expose: no method of the service has an HTTP path; received "demo/shop/health"; ' +
        'fix: add a google.api.http option to a method, or do not expose it',
      'demo/shop/second: the mesh already has an HTTP gateway, demo/shop/edge, which takes every host; ' +
        'fix: expose the services there',
      'demo/shop/second: expose: there is nothing to expose; received []; fix: name a service, or remove the gateway',
    ]);
  });
});

test('a gateway app without an HTTP port', () => {
  withProject({ front: { ports: { grpc: 50051 } } }, (root) => {
    const mesh = twoClusters(root);
    const shop = mesh.namespace('shop');
    new HttpGateway(shop, 'edge', { expose: [catalogIn(shop)], app: 'apps/front' });
    expect(problemsOf(mesh)).toEqual([
      'demo/shop/edge: app: apps/front/config.yml has no ports.http; fix: add it, usually 8080',
    ]);
  });
});
