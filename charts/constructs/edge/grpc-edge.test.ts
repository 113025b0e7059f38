import { describe, expect, test } from '@jest/globals';
import { synthesize } from '../../synth.ts';
import { isNotGrpc, jwt, ofGateways, withShop } from '../../testing/edge.ts';
import { expectGolden } from '../../testing/golden.ts';
import { libraryOf } from '../../testing/library.ts';
import { objectOf, objectsOf } from '../../testing/mesh.ts';
import { TrafficPolicy } from '../traffic/traffic-policy.ts';
import { GrpcService } from '../workload/grpc-service.ts';
import { edgePolicy } from './edge-access.ts';
import { HttpEdge } from './http-edge.ts';

const protocols = ['rest', 'grpc'] as const;
const isGrpc = { key: isNotGrpc.key, values: isNotGrpc.notValues };
const getProduct = '/test.catalog.v1.CatalogService/GetProduct';
const listProducts = '/test.catalog.v1.CatalogService/ListProducts';
const watchPrices = '/test.catalog.v1.CatalogService/WatchPrices';

interface Rule {
  readonly from?: unknown;
  readonly to: readonly { readonly operation: { readonly paths?: readonly string[] } }[];
  readonly when?: readonly unknown[];
}

test('native calls go from every ingress gateway to the service itself, which lets exactly the exposed methods in', () => {
  withShop(({ mesh, shop, catalog, orders }) => {
    orders.calls(catalog.method.listProducts);
    new TrafficPolicy(catalog, 'traffic', {
      rules: [{ method: catalog.method.getProduct, timeoutMs: 1_500, retries: { attempts: 2 } }],
      connections: { maxRequestsPerConnection: 100 },
    });
    new HttpEdge(shop, 'edge', {
      expose: [catalog.method.getProduct, catalog.method.watchPrices],
      hosts: ['api.example'],
      protocols,
      jwt: { ...jwt, claims: { sub: 'x-user' }, except: [catalog.method.getProduct] },
      rateLimits: [{ method: catalog.method.getProduct, perSecond: 5, by: 'client' }],
      cors: { origins: ['https://shop.example'] },
      openapi: true,
    });
    const rendered = synthesize(mesh);
    const all = objectsOf(rendered, 'west');
    expect(objectsOf(rendered, 'east').map((object) => JSON.stringify(object))).toContain(
      JSON.stringify(objectOf(rendered, 'west', 'VirtualService', 'edge')),
    );
    const destination = { host: 'catalog.shop.svc.cluster.local', port: { number: 50051 } };
    expect(objectOf(rendered, 'west', 'VirtualService', 'edge')).toMatchObject({
      spec: {
        http: [
          {
            name: 'edge.shop grpc catalog.shop getProduct',
            match: [
              {
                uri: { exact: getProduct },
                method: { exact: 'POST' },
                headers: { 'content-type': { regex: String.raw`application/grpc(\+.*)?` } },
              },
            ],
            route: [{ destination }],
            timeout: '1.5s',
            retries: { attempts: 2 },
          },
          {
            match: [{ uri: { exact: watchPrices } }],
            route: [{ destination }],
            // A stream is never made again.
            retries: { attempts: 0 },
          },
          { name: 'edge.shop', route: [{ destination: { host: 'edge.shop.svc.cluster.local' } }] },
        ],
      },
    });
    const ingress = 'demo.example/ns/istio-ingress/sa/istio-ingressgateway';
    const { rules } = objectOf(rendered, 'west', 'AuthorizationPolicy', 'catalog')?.['spec'] as {
      rules: Rule[];
    };
    expect(rules.filter((rule) => JSON.stringify(rule).includes(ingress))).toEqual([
      {
        from: [{ source: { principals: [ingress] } }],
        to: [{ operation: { ports: ['50051'], methods: ['POST'], paths: [getProduct, watchPrices] } }],
      },
    ]);
    for (const kind of ['Service', 'DestinationRule']) {
      expect(JSON.stringify(objectOf(rendered, 'west', kind, 'catalog'))).toContain('istio-ingress');
    }
    const ours = all.filter(
      ({ kind, metadata: { name } }) =>
        (['AuthorizationPolicy', 'VirtualService'].includes(kind) &&
          /^(edge(\.shop)?|catalog)$/.test(name)) ||
        (kind === 'EnvoyFilter' && /^(edge\.shop(\.deadlines)?|catalog(\.shop)?\.connections)$/.test(name)),
    );
    expectGolden(import.meta.url, 'grpc-edge', ours);
  });
});

describe('what is let in', () => {
  test('a native call by its method alone, by the token that the method asks for', () => {
    withShop(({ mesh, shop, catalog, orders }) => {
      new HttpEdge(shop, 'edge', {
        expose: [catalog, orders.method.createOrder],
        protocols,
        jwt: {
          ...jwt,
          except: [catalog.method.listProducts],
          rules: [{ method: orders.method.createOrder, claim: 'role', values: ['buyer'] }],
        },
      });
      const { rules } = ofGateways(mesh, 'AuthorizationPolicy', 'edge.shop') as { rules: Rule[] };
      const native = rules.filter(({ when }) =>
        JSON.stringify(when).includes('"values":["application/grpc"'),
      );
      const token = {
        from: [{ source: { requestPrincipals: ['https://id.example/*'] } }],
      };
      const audience = { key: 'request.auth.audiences', values: ['shop'] };
      const to = (...paths: string[]) => [{ operation: { ports: ['8080'], methods: ['POST'], paths } }];
      expect(native).toEqual([
        { to: to(listProducts), when: [isGrpc] },
        { ...token, to: to(getProduct, watchPrices), when: [isGrpc, audience] },
        {
          ...token,
          to: to('/test.orders.v1.OrdersService/CreateOrder'),
          when: [isGrpc, audience, { key: 'request.auth.claims[role]', values: ['buyer'] }],
        },
      ]);
    });
  });

  test('none by the path of another method, whatever that matches: the kinds are told apart by their content', () => {
    withShop(({ shop, catalog }) => {
      // Takes POST of two segments, which every gRPC method is.
      const service = libraryOf({ Any: { pattern: { case: 'post', value: '/{parent}/{id}' } } });
      const library = new GrpcService(shop, 'library', { app: 'apps/orders', service });
      const any = library.method['any']!;
      const { rules } = edgePolicy({
        ...{ pods: {}, port: 8080, hosts: {}, preflights: true, pages: ['/docs'] },
        ...{ methods: [any, catalog.method.getProduct], grpc: [any, catalog.method.getProduct] },
        jwt: { ...jwt, except: [any] },
      }) as { rules: Rule[] };
      // Everything but a native call asks to be none: a path, a preflight, a page.
      const conditions = rules.map(({ to, when = [] }) => {
        const isNative = to.some(({ operation }) =>
          operation.paths?.some((path) => path.startsWith('/test.')),
        );
        return { isNative, first: when[0] };
      });
      expect(conditions).toEqual(
        conditions.map(({ isNative }) => ({ isNative, first: isNative ? isGrpc : isNotGrpc })),
      );
      expect(conditions.map(({ isNative }) => isNative)).toEqual([false, false, true, true, false, false]);
      expect(rules[0]?.to).toEqual([
        { operation: { ports: ['8080'], methods: ['POST'], paths: ['/{*}/{*}'] } },
      ]);
    });
  });

  test('none at all where the edge takes no native calls, which is usual: not as a request of its HTTP gateway either', () => {
    withShop(({ mesh, shop, catalog }) => {
      new HttpEdge(shop, 'edge', { expose: [catalog], rateLimits: [{ perSecond: 5, by: 'all' }] });
      new HttpEdge(shop, 'rest', { expose: [catalog], hosts: ['rest.example'], protocols: ['rest'] });
      const texts = objectsOf(synthesize(mesh), 'east').map((object) => JSON.stringify(object));
      expect(texts.filter((text) => text.includes('deadlines'))).toEqual([]);
      // Envoy would keep the deadline of a request that says it is gRPC, and count the pod of the HTTP gateway out by it.
      for (const name of ['edge.shop', 'rest.shop']) {
        const { rules } = ofGateways(mesh, 'AuthorizationPolicy', name) as { rules: Rule[] };
        expect(rules.map(({ when }) => when)).toEqual(rules.map(() => [isNotGrpc]));
        expect(texts.filter((text) => text.includes('application/grpc'))).toHaveLength(2);
      }
      expect(JSON.stringify(ofGateways(mesh, 'EnvoyFilter', 'edge.shop'))).toContain('HTTP_ROUTE');
    });
  });
});

describe('a service at two edges', () => {
  test('lets the gateways in to what both expose, and its connections are said once', () => {
    withShop(({ mesh, shop, catalog }) => {
      new HttpEdge(shop, 'first', { expose: [catalog.method.getProduct], protocols });
      new HttpEdge(shop, 'second', {
        ...{
          expose: [catalog.method.listProducts, catalog.method.getProduct],
          protocols,
          hosts: ['b.example'],
        },
        jwt: { ...jwt, claims: { sub: 'x-user' } },
      });
      const rendered = synthesize(mesh);
      const names = objectsOf(rendered, 'east')
        .filter(({ kind }) => kind === 'EnvoyFilter')
        .map(({ metadata }) => metadata.name);
      expect(names.filter((name) => name.startsWith('catalog'))).toEqual([
        'catalog.shop.connections',
        'catalog',
        'catalog.connections',
      ]);
      expect(names.filter((name) => name.endsWith('deadlines'))).toEqual([
        'first.shop.deadlines',
        'second.shop.deadlines',
      ]);
      const { rules } = objectOf(rendered, 'east', 'AuthorizationPolicy', 'catalog')?.['spec'] as {
        rules: Rule[];
      };
      const ofIngress = rules.filter(({ from }) => JSON.stringify(from).includes('istio-ingressgateway'));
      // One rule, with each method once.
      expect(ofIngress.map(({ to }) => to.map(({ operation }) => operation.paths))).toEqual([
        [[getProduct, listProducts]],
      ]);
      // What a token of the second says does not go on to a service through the first.
      const routes = (name: string) =>
        (objectOf(rendered, 'east', 'VirtualService', name)?.['spec'] as { http: { headers?: object }[] })
          .http;
      expect(routes('first')[0]?.headers).toEqual({ request: { remove: ['x-user', 'grpc-timeout'] } });
      // Nor does a client's deadline through either.
      expect(routes('second')[0]?.headers).toEqual({ request: { remove: ['grpc-timeout'] } });
    });
  });
});

test('limits count native calls and others together, on the virtual hosts of the edge', () => {
  withShop(({ mesh, shop, catalog }) => {
    new HttpEdge(shop, 'edge', {
      ...{ expose: [catalog.method.getProduct], protocols, tls: { secret: 'tls' } },
      hosts: ['a.example', 'b.example'],
      rateLimits: [{ perSecond: 5, by: 'all' }],
    });
    const { configPatches } = ofGateways(mesh, 'EnvoyFilter', 'edge.shop') as {
      configPatches: { applyTo: string; match: object; patch: object }[];
    };
    expect(configPatches.map(({ applyTo, match }) => ({ applyTo, match }))).toEqual(
      ['a.example:443', 'b.example:443'].map((name) => ({
        applyTo: 'VIRTUAL_HOST',
        match: { context: 'GATEWAY', routeConfiguration: { vhost: { name } } },
      })),
    );
    // Every request counts, of whatever kind.
    expect(configPatches[0]?.patch).toMatchObject({
      value: {
        typed_per_filter_config: {
          'envoy.filters.http.local_ratelimit': {
            rate_limits: [{ actions: [{ generic_key: { descriptor_value: 'all by all' } }] }],
          },
        },
      },
    });
  });
});

test('shares of versions and rules of metadata hold for native calls as for callers in the mesh', () => {
  withShop(({ mesh, shop, catalog }) => {
    const canary = new GrpcService(mesh.namespace('canary'), 'catalog', {
      ...{ app: 'apps/catalog', service: catalog.service },
      versions: { v1: {}, v2: {} },
    });
    new TrafficPolicy(canary, 'traffic', {
      weights: { v1: 90, v2: 10 },
      rules: [
        { metadata: { 'x-tester': { exact: 'yes' } }, to: 'v2' },
        { method: canary.method.getProduct, timeoutMs: 500 },
      ],
    });
    const { getProduct: get, watchPrices: watch, listProducts: list } = canary.method;
    new HttpEdge(shop, 'edge', { expose: [get, watch, list], protocols });
    const rendered = synthesize(mesh);
    // Its routes name versions of the service: with the service's own, when those run.
    const stageOf = (kind: string, name: string, namespace: string) =>
      rendered.find(({ objects }) =>
        objects.some(
          ({ kind: found, metadata }) =>
            found === kind && metadata.name === name && metadata.namespace === namespace,
        ),
      )?.stage;
    expect(stageOf('VirtualService', 'edge', 'shop')).toBe('60-traffic');
    expect(stageOf('DestinationRule', 'catalog', 'canary')).toBe('60-traffic');
    const { http } = objectOf(rendered, 'east', 'VirtualService', 'edge')?.['spec'] as {
      http: {
        name: string;
        match?: { uri: { exact: string }; headers: object }[];
        route: { destination: { subset?: string }; weight?: number }[];
      }[];
    };
    const seen = http.map(({ name, match = [], route }) => ({
      name: name.replace('edge.shop grpc catalog.canary ', ''),
      methods: match.map(({ uri }) => uri.exact.replace(/.*\//, '')),
      tester: match.some(({ headers }) => 'x-tester' in headers),
      to: route.map(({ destination, weight }) => [destination.subset, weight]),
    }));
    const shares = [
      ['v1', 90],
      ['v2', 10],
    ];
    const v2 = [['v2', undefined]];
    expect(seen).toEqual([
      { name: 'getProduct rules[0]', methods: ['GetProduct'], tester: true, to: v2 },
      { name: 'getProduct', methods: ['GetProduct'], tester: false, to: shares },
      { name: 'watchPrices rules[0]', methods: ['WatchPrices'], tester: true, to: v2 },
      { name: 'watchPrices', methods: ['WatchPrices'], tester: false, to: shares },
      { name: 'rules[0]', methods: ['ListProducts'], tester: true, to: v2 },
      { name: 'default', methods: ['ListProducts'], tester: false, to: shares },
      { name: 'edge.shop', methods: [], tester: false, to: [[undefined, undefined]] },
    ]);
  });
});
