import { describe, expect, test } from '@jest/globals';
import { clusters, objectOf, objectsOf, twoClusters } from '../../testing/mesh.ts';
import { frontImage, frontIn, meshWith, ordersIn, podOf, redisIn, spec } from '../../testing/foreign.ts';
import { find, onExisting, rendered as renderedOnExisting } from '../../testing/existing.ts';
import { expectGolden } from '../../testing/golden.ts';
import { withProject } from '../../testing/project.ts';
import { existingCaller } from '../existing/existing-caller.ts';
import { MutualTls } from '../workload/mutual-tls.ts';
import { HttpService } from './http-service.ts';

const orders = 'demo.example/ns/shop/sa/orders';

describe('a service over plain HTTP with a caller', () => {
  const rendered = meshWith((shop) => {
    const front = frontIn(shop, { servicePort: 80 });
    ordersIn(shop).calls(
      front.route('GET', '/api/*'),
      front.route(['POST', 'PUT'], '/api/{*}/items'),
      front.route('GET', '/health'),
    );
  });
  const own = (cluster: string) =>
    objectsOf(rendered, cluster, 'shop').filter(({ metadata }) => metadata.name.startsWith('front'));

  test('is a Service, its policies and its pods, the same in every cluster', () => {
    expect(own('east').map(({ kind }) => kind)).toEqual([
      'AuthorizationPolicy',
      'Service',
      'ServiceAccount',
      'Sidecar',
      'EnvoyFilter',
      'Deployment',
      'DestinationRule',
    ]);
    expect(own('east')).toEqual(own('west'));
    expectGolden(import.meta.url, 'http-service', own('east'));
  });

  test('lets the identity of its caller make the requests that it was granted, on the port of the container', () => {
    expect(spec(rendered, 'AuthorizationPolicy', 'front')).toEqual({
      selector: { matchLabels: { 'app.kubernetes.io/name': 'front' } },
      action: 'ALLOW',
      rules: [
        {
          from: [{ source: { principals: [orders] } }],
          to: [
            { operation: { ports: ['8080'], methods: ['GET'], paths: ['/api/*', '/health'] } },
            { operation: { ports: ['8080'], methods: ['POST', 'PUT'], paths: ['/api/{*}/items'] } },
          ],
        },
      ],
    });
  });

  test('has a port that proxies know for HTTP', () => {
    expect(spec(rendered, 'Service', 'front')).toMatchObject({
      ports: [{ name: 'http', port: 80, targetPort: 'http', protocol: 'TCP', appProtocol: 'http' }],
    });
  });

  test('is known to its callers, and to nobody else', () => {
    const hosts = ['shop/front.shop.svc.cluster.local'];
    expect(spec(rendered, 'Sidecar', 'orders')).toMatchObject({ egress: [{ hosts }] });
    expect(spec(rendered, 'Sidecar', 'front')).toMatchObject({ egress: [{ hosts: ['~/*'] }] });
    const annotations = objectOf(rendered, 'east', 'Service', 'front')?.metadata.annotations;
    expect(annotations).toEqual({ 'networking.istio.io/exportTo': '.,istio-eastwest' });
  });

  test('runs its image, which is asked by a connection whether it is there, and waits before it ends', () => {
    const [container, ...others] = podOf(rendered, 'front').spec.containers;
    expect(others).toEqual([]);
    expect(container).toMatchObject({
      image: frontImage,
      ports: [{ name: 'http', containerPort: 8080 }],
      readinessProbe: { tcpSocket: { port: 8080 } },
      lifecycle: { preStop: { sleep: { seconds: 10 } } },
    });
  });

  test('fails over to the other region, and takes pods out of use that are not there', () => {
    expect(spec(rendered, 'DestinationRule', 'front')).toMatchObject({
      trafficPolicy: {
        connectionPool: { http: { idleTimeout: '10s' } },
        loadBalancer: { localityLbSetting: { enabled: true } },
        outlierDetection: { consecutiveGatewayErrors: 5, consecutive5xxErrors: 0, maxEjectionPercent: 100 },
      },
    });
  });

  test('has paths denied that its server may take for others, whoever asks', () => {
    const filter = objectOf(rendered, 'east', 'EnvoyFilter', 'front.paths');
    const [regex = ''] = /"regex":"(.*?[^\\])"/.exec(JSON.stringify(filter))?.slice(1) ?? [];
    const denied = new RegExp(`^(?:${JSON.parse(`"${regex}"`) as string})$`);
    for (const path of [
      '/api/..%2fx',
      '/api/%5c..',
      '/api/..;/x',
      '/a/.;b/c',
      '/a/..%3b/c',
      '/a/../b',
      '/a/..',
      '/a/%2e%2e/b',
    ])
      expect([path, denied.test(path)]).toEqual([path, true]);
    for (const path of ['/api/a%20b', '/api/a;b', '/.well-known/x', '/..a', '/a%3Bb'])
      expect([path, denied.test(path)]).toEqual([path, false]);
  });
});

describe('how requests travel', () => {
  const host = 'front.shop.svc.cluster.local';
  const route = [{ destination: { host, port: { number: 8080 } } }];

  test('with a limit, and retries of what may be made again', () => {
    const rendered = meshWith((shop) => {
      const front = frontIn(shop, { timeoutMs: 2500, retries: { attempts: 3, perTryTimeoutMs: 500 } });
      ordersIn(shop).calls(front.route('POST', '/'));
    });
    expect(spec(rendered, 'VirtualService', 'front')).toEqual({
      hosts: [host],
      exportTo: ['.', 'istio-eastwest'],
      http: [
        {
          name: 'idempotent',
          match: ['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'].map((exact) => ({ method: { exact } })),
          route,
          timeout: '2.5s',
          retries: {
            attempts: 3,
            retryOn: 'connect-failure,refused-stream,reset,503',
            perTryTimeout: '0.5s',
          },
        },
        { name: 'default', route, timeout: '2.5s' },
      ],
    });
  });

  test('with a failover of its own', () => {
    const rendered = meshWith((shop) => frontIn(shop, { failover: { east: ['west'] } }));
    expect(spec(rendered, 'DestinationRule', 'front')).toMatchObject({
      trafficPolicy: {
        loadBalancer: {
          localityLbSetting: {
            failover: [
              { from: 'region-e', to: 'region-w' },
              { from: 'region-w', to: 'region-e' },
            ],
          },
        },
      },
    });
  });
});

test('it calls others as every workload does, and is called by those of others', () => {
  const rendered = meshWith((shop) => {
    const front = frontIn(shop);
    const back = new HttpService(shop, 'back', { image: frontImage, port: 9090, placement: ['west'] });
    const redis = redisIn(shop);
    front.calls(back.route('DELETE', '/carts/{*}'), redis.port.redis);
    existingCaller(shop.mesh, { namespace: 'shop', serviceAccount: 'reports' }).calls(
      back.route('GET', '/carts/{**}'),
    );
    new MutualTls(back, 'tls', { mode: 'STRICT', ports: { http: 'PERMISSIVE' } });
  });
  expect(spec(rendered, 'Sidecar', 'front')).toMatchObject({
    egress: [{ hosts: ['shop/back.shop.svc.cluster.local', 'shop/redis.shop.svc.cluster.local'] }],
  });
  expect(spec(rendered, 'AuthorizationPolicy', 'back')).toMatchObject({
    rules: [
      {
        from: [{ source: { principals: ['demo.example/ns/shop/sa/front'] } }],
        to: [{ operation: { ports: ['9090'], methods: ['DELETE'], paths: ['/carts/{*}'] } }],
      },
      {
        from: [{ source: { principals: ['demo.example/ns/shop/sa/reports'] } }],
        to: [{ operation: { ports: ['9090'], methods: ['GET'], paths: ['/carts/{**}'] } }],
      },
    ],
  });
  expect(objectOf(rendered, 'east', 'Deployment', 'back')).toBeUndefined();
  expect(spec(rendered, 'PeerAuthentication', 'back-mutual-tls')).toMatchObject({
    portLevelMtls: { 9090: { mode: 'PERMISSIVE' } },
  });
});

test('what nobody calls is allowed to nobody', () => {
  const rendered = meshWith((shop) => frontIn(shop));
  expect(objectOf(rendered, 'east', 'AuthorizationPolicy', 'front')).toBeUndefined();
});

test('its model has of each caller one request that harms nobody', () => {
  withProject({}, (root) => {
    const mesh = twoClusters(root);
    const shop = mesh.namespace('shop');
    const front = frontIn(shop);
    ordersIn(shop).calls(front.route('POST', '/carts'), front.route(['PUT', 'HEAD'], '/health'));
    redisIn(shop).calls(front.route('GET', '/{*}/pages'), front.route('GET', '/carts/*'));
    const { workloads } = mesh.model();
    const to = { workload: 'front', namespace: 'shop', port: 8080 };
    const requests = (name: string) => workloads.find((each) => each.name === name)?.requests;
    // Of an answer to HEAD nobody knows whether a proxy made it.
    expect(requests('orders')).toEqual([{ ...to, verb: 'TRACE', path: '/', answeredBy: 'proxy' }]);
    expect(requests('redis')).toEqual([{ ...to, verb: 'GET', path: '/carts/', answeredBy: 'service' }]);
    expect(requests('front')).toBeUndefined();
    expect(workloads.find(({ name }) => name === 'front')).toMatchObject({
      ports: { http: 8080 },
      services: [],
      answersFrom: Object.keys(clusters),
    });
  });
});

test('on an Istio of others it says what it needs: paths that are normalized, and retries of its own', () => {
  const onOthers = renderedOnExisting(({ shop }) => frontIn(shop));
  expect(find(onOthers, 'VirtualService', 'front')?.['spec']).toMatchObject({
    http: [{ retries: { attempts: 2, retryOn: 'connect-failure,refused-stream' } }],
  });
  withProject({}, (root) => {
    const mesh = onExisting(root);
    expect(mesh.model().existing?.needs).not.toContain('pathNormalization');
    frontIn(mesh.namespace('shop'));
    expect(mesh.model().existing?.needs).toContain('pathNormalization');
  });
});
