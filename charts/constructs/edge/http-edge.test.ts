import { describe, expect, test } from '@jest/globals';
import { Health } from '../../../gen/grpc/health/v1/health_pb.js';
import { OrdersService } from '../../../gen/test/orders/v1/orders_pb.js';
import { synthesize } from '../../synth.ts';
import { anyEdge, get, isNotGrpc, jwt, ofGateways, withShop } from '../../testing/edge.ts';
import { expectGolden } from '../../testing/golden.ts';
import { libraryOf } from '../../testing/library.ts';
import { catalogIn, objectOf, objectsOf, problemsOf, twoClusters } from '../../testing/mesh.ts';
import { withProject } from '../../testing/project.ts';
import { GrpcService } from '../workload/grpc-service.ts';
import { HttpEdge } from './http-edge.ts';

test('openapi lets everybody read of what is exposed, whatever tokens the methods ask for', () => {
  withShop(({ mesh, shop, catalog, orders }) => {
    const expose = [catalog.method.getProduct, orders.method.getOrder] as const;
    new HttpEdge(shop, 'edge', { expose, hosts: ['api.example'], jwt, openapi: true });
    new HttpEdge(shop, 'plain', { expose });
    const pages = {
      to: [
        {
          operation: {
            ports: ['8080'],
            hosts: ['api.example', 'api.example:80'],
            methods: ['GET', 'HEAD'],
            paths: ['/docs', '/openapi.json'],
          },
        },
      ],
      when: [isNotGrpc],
    };
    expect(ofGateways(mesh, 'AuthorizationPolicy', 'edge.shop')?.['rules']).toEqual([
      expect.anything(),
      pages,
    ]);
    expect(JSON.stringify(ofGateways(mesh, 'AuthorizationPolicy', 'plain.shop'))).not.toContain('openapi');
    const rendered = synthesize(mesh);
    const methods = 'test.catalog.v1.CatalogService/GetProduct,test.orders.v1.OrdersService/GetOrder';
    expect(JSON.stringify(objectOf(rendered, 'east', 'Deployment', 'edge'))).toContain(
      `{"name":"OPENAPI_METHODS","value":"${methods}"}`,
    );
    expect(JSON.stringify(objectOf(rendered, 'east', 'Deployment', 'plain'))).not.toContain('OPENAPI');
  });
});

test('every ingress gateway brings the exposed requests to the edge, which knows where each service is', () => {
  withProject({}, (root) => {
    const mesh = twoClusters(root);
    const shop = mesh.namespace('shop');
    const catalog = catalogIn(mesh.namespace('goods'), { placement: ['east'] });
    const orders = new GrpcService(shop, 'orders', { app: 'apps/orders', service: OrdersService });
    new HttpEdge(shop, 'edge', { expose: [catalog.method.getProduct, orders], placement: ['west'] });
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
      // What is not exposed is refused at the gateway, and at the service once more.
      expect(objectOf(rendered, cluster, 'AuthorizationPolicy', 'edge.shop')).toMatchObject({
        metadata: { namespace: 'istio-ingress' },
        spec: {
          rules: [
            {
              to: [
                {
                  operation: {
                    methods: ['GET'],
                    paths: ['/v1/orders', '/v1/orders/{*}', '/v1/products/{*}', '/v1/quotes:watch'],
                  },
                },
                {
                  operation: {
                    methods: ['HEAD'],
                    paths: ['/v1/orders', '/v1/orders/{*}', '/v1/products/{*}'],
                  },
                },
                { operation: { methods: ['POST'], paths: ['/v1/orders'] } },
              ],
            },
          ],
        },
      });
      expect(objectOf(rendered, cluster, 'AuthorizationPolicy', 'catalog')).toMatchObject({
        spec: { rules: [{ to: [{ operation: { paths: ['/test.catalog.v1.CatalogService/GetProduct'] } }] }] },
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
                      'test.catalog.v1.CatalogService=catalog.goods.svc.cluster.local:50051,' +
                      'test.orders.v1.OrdersService=orders.shop.svc.cluster.local:50052',
                  },
                  { name: 'TRUSTED_PROXIES', value: '1' },
                ]),
              },
            ],
          },
        },
      },
    });
    const edge = objectsOf(rendered, 'west').filter(({ metadata }) => /^edge(\.shop)?$/.test(metadata.name));
    expectGolden(import.meta.url, 'http-edge', edge);
  });
});

describe('hosts', () => {
  test('the rules of one edge do not open the paths of another', () => {
    withShop(({ mesh, shop, catalog }) => {
      new HttpEdge(shop, 'open', { expose: [catalog.method.getProduct] });
      new HttpEdge(shop, 'members', { expose: [catalog.method.getProduct], hosts: ['api.example'], jwt });
      expect(ofGateways(mesh, 'AuthorizationPolicy', 'open.shop')).toMatchObject({
        rules: [{ to: [{ operation: { notHosts: ['api.example', 'api.example:*'] } }] }],
      });
      expect(ofGateways(mesh, 'AuthorizationPolicy', 'members.shop')).toMatchObject({
        rules: [{ to: [{ operation: { hosts: ['api.example', 'api.example:80'] } }] }],
      });
    });
  });

  test('problems', () => {
    withShop(({ mesh, shop, catalog }) => {
      new HttpEdge(shop, 'first', { expose: [catalog], hosts: ['api.example', '*.example', 'api.example'] });
      new HttpEdge(shop, 'second', { expose: [catalog], hosts: ['api.example', '*'] });
      new HttpEdge(shop, 'third', { expose: [catalog], hosts: [] });
      const allowed = "allowed '*', or a DNS name in lower case without a port, such as api.example";
      expect(problemsOf(mesh)).toEqual([
        `demo/shop/first: hosts: is not a host; received "*.example"; ${allowed}`,
        'demo/shop/first: hosts: the host is listed twice; received "api.example"; fix: remove one',
        'demo/shop/second: hosts: the host already belongs to demo/shop/first; received "api.example"; ' +
          'fix: give each edge its own hosts, or expose the methods at that edge',
        `demo/shop/second: hosts: '*' already covers every host; received ["api.example","*"]; fix: keep '*' or the names`,
        "demo/shop/third: hosts: is not a list of at least one host; received []; fix: name a host, or leave hosts out for ['*']",
      ]);
    });
  });
});

describe('problems with what is exposed', () => {
  test('what is exposed but not as a list of methods and services', () => {
    withShop(({ mesh, catalog }) => {
      anyEdge(mesh.namespace('a'), { expose: catalog });
      anyEdge(mesh.namespace('b'), {
        expose: [catalog.method, [catalog.method.getProduct]],
        hosts: ['b.example'],
      });
      const no = 'is not a method or route of a declared service';
      const allowed = 'allowed SERVICE.method.NAME or SERVICE.route(VERB, PATH) of an HttpService';
      expect(problemsOf(mesh)).toEqual([
        'demo/a/edge: expose: there is nothing to expose; received "demo/shop/catalog"; ' +
          'fix: name a method, or remove the edge',
        `demo/b/edge: expose[0]: ${no}; received {"getProduct":"demo/shop/catalog.method.getProduct",` +
          `"listProducts":"demo/shop/catalog.method.listProducts","watchPrices…; ${allowed}`,
        `demo/b/edge: expose[1]: ${no}; received ["demo/shop/catalog.method.getProduct"]; ${allowed}`,
      ]);
    });
  });

  test.each([
    ['/docs', '/docs'],
    ['/{id}', '/healthz'],
    ['/docs/{id=**}', '/docs'],
  ])("the path %s, which takes %s of the gateway's own", (path, taken) => {
    withShop(({ mesh, shop }) => {
      const service = libraryOf({ Sound: get('/{id}:read'), Broken: get(path) });
      const library = new GrpcService(shop, 'library', { app: 'apps/orders', service });
      new HttpEdge(shop, 'edge', { expose: [library] });
      expect(problemsOf(mesh).filter((problem) => problem.startsWith('demo/shop/edge'))).toEqual([
        `demo/shop/edge: expose: test.Library/Broken: the path takes ${taken}, which the gateway itself answers; ` +
          `received "${path}"; fix: begin it with a prefix such as /v1`,
      ]);
    });
  });

  test.each([
    ['v1/a', '"/" expected at offset 0'],
    ['/v1/{id=}', 'a segment expected at offset 8'],
    ['', '"/" expected at offset 0'],
  ])('the path %j, also of a service exposed as a whole', (path, what) => {
    withShop(({ mesh, shop }) => {
      const service = libraryOf({ Sound: get('/v1/ok'), Broken: get(path), Plain: undefined });
      const library = new GrpcService(shop, 'library', { app: 'apps/orders', service });
      new HttpEdge(shop, 'edge', { expose: [library] });
      expect(problemsOf(mesh).filter((problem) => problem.startsWith('demo/shop/edge'))).toEqual([
        `demo/shop/edge: expose: test.Library/Broken: path template: ${what}; ` +
          `received "${path}"; fix: see "Path template syntax" in google/api/http.proto`,
      ]);
    });
  });

  test('rules of methods that are not exposed, which the gateway serves as well: it would not start', () => {
    withShop(({ mesh, shop }) => {
      const service = libraryOf({
        Sound: get('/v1/{id}'),
        Unknown: get('/v1/x/{nofield}'),
        Equal: get('/v1/{name}'),
      });
      const library = new GrpcService(shop, 'library', { app: 'apps/orders', service });
      new HttpEdge(shop, 'edge', { expose: [library.method['sound']!] });
      expect(problemsOf(mesh).filter((problem) => problem.startsWith('demo/shop/edge'))).toEqual([
        'demo/shop/edge: expose: test.Library/Unknown: variable nofield: test.Request has no field "nofield"; ' +
          'received "/v1/x/{nofield}"; allowed id, name, parent, path, rest',
        'demo/shop/edge: expose: test.Library/Equal: the HTTP method and path are also those of GET /v1/{id} of ' +
          'test.Library/Sound; received "GET /v1/{name}"; fix: change the path of one of them',
      ]);
    });
  });

  test('methods', () => {
    withShop(({ mesh, shop, catalog }) => {
      const { getProduct } = catalog.method;
      const library = new GrpcService(shop, 'library', {
        app: 'apps/orders',
        service: libraryOf({ Plain: undefined }),
      });
      const misspelled = (catalog.method as unknown as Record<string, unknown>)['getProdukt'];
      anyEdge(shop, {
        expose: [getProduct, catalog, getProduct, library.method['plain'], misspelled, 'catalog'],
      });
      expect(problemsOf(mesh).filter((problem) => problem.startsWith('demo/shop/edge'))).toEqual([
        'demo/shop/edge: expose[3]: the method has no HTTP path; received "test.Library/Plain"; ' +
          'fix: add a google.api.http option to it, or do not expose it',
        'demo/shop/edge: expose[4]: demo/shop/catalog has no such method; received "getProdukt"; ' +
          'allowed getProduct, listProducts, watchPrices; fix: did you mean getProduct?',
        'demo/shop/edge: expose[5]: is not a method or route of a declared service; received "catalog"; ' +
          'allowed SERVICE.method.NAME or SERVICE.route(VERB, PATH) of an HttpService',
        'demo/shop/edge: expose: the method is listed twice; ' +
          'received "test.catalog.v1.CatalogService/GetProduct"; fix: remove one',
      ]);
    });
  });

  test('services', () => {
    withProject({}, (root) => {
      const mesh = twoClusters(root);
      const shop = mesh.namespace('shop');
      const catalog = catalogIn(shop);
      const copy = catalogIn(mesh.namespace('copy'));
      const elsewhere = catalogIn(twoClusters(root).namespace('shop'));
      const health = new GrpcService(shop, 'health', { app: 'apps/orders', service: Health });
      new HttpEdge(shop, 'edge', { expose: [catalog, catalog, copy, health, elsewhere] });
      anyEdge(mesh.namespace('none'), { expose: 'catalog', hosts: ['none.example'] });
      expect(problemsOf(mesh)).toEqual([
        'demo/shop/health: service: apps/orders/config.yml does not list it in services; ' +
          'received "grpc.health.v1.Health"; allowed test.orders.v1.OrdersService; ' +
          'fix: pass a service the app serves, or add grpc.health.v1.Health to services in apps/orders/config.yml',
        'demo/shop/edge: expose: no method of the service has an HTTP path; received "demo/shop/health"; ' +
          'fix: add a google.api.http option to a method, or do not expose it',
        'demo/shop/edge: expose: is a service in another mesh; received "demo/shop/catalog"; ' +
          'fix: declare the service in this mesh',
        'demo/shop/edge: expose: the service is listed twice; received "demo/shop/catalog"; fix: remove one',
        'demo/shop/edge: expose: the service serves test.catalog.v1.CatalogService, as does demo/shop/catalog: ' +
          'its paths would be ambiguous; received "demo/copy/catalog"; fix: expose only one of them',
        'demo/none/edge: expose: there is nothing to expose; received "catalog"; ' +
          'fix: name a method, or remove the edge',
      ]);
    });
  });

  test('a gateway app without an HTTP port', () => {
    withProject({ front: { ports: { grpc: 50051 } } }, (root) => {
      const mesh = twoClusters(root);
      const shop = mesh.namespace('shop');
      new HttpEdge(shop, 'edge', { expose: [catalogIn(shop)], app: 'apps/front' });
      expect(problemsOf(mesh)).toEqual([
        'demo/shop/edge: app: apps/front/config.yml has no ports.http; fix: add it, usually 8080',
      ]);
    });
  });

  test('a gateway app with times that its program refuses', () => {
    const env = {
      STREAM_IDLE_MS: '5m',
      REQUEST_TIMEOUT_MS: { value: '600001', notSecret: 'a time' },
      REQUEST_TIMEOUT_MAX_MS: '0',
    };
    withProject({ front: { ports: { http: 8080 }, env } }, (root) => {
      const mesh = twoClusters(root);
      const shop = mesh.namespace('shop');
      new HttpEdge(shop, 'edge', { expose: [catalogIn(shop)], app: 'apps/front' });
      const wrong = 'demo/shop/edge: app: apps/front/config.yml has a wrong value for';
      expect(problemsOf(mesh)).toEqual([
        `${wrong} env.REQUEST_TIMEOUT_MS; allowed a whole number from 1 to 600000, in quotes`,
        `${wrong} env.REQUEST_TIMEOUT_MAX_MS; allowed a whole number from 1 to 86400000, in quotes`,
        `${wrong} env.STREAM_IDLE_MS; allowed a whole number from 1 to 86400000, in quotes`,
      ]);
    });
  });
});
