import { describe, expect, test } from '@jest/globals';
import { synthesize } from '../../synth.ts';
import { anyEdge, jwt, ofGateways, withShop } from '../../testing/edge.ts';
import { frontIn } from '../../testing/foreign.ts';
import { joined, onExisting, shopOnExisting } from '../../testing/existing.ts';
import { expectGolden } from '../../testing/golden.ts';
import { objectOf, objectsOf, problemsOf } from '../../testing/mesh.ts';
import { withProject } from '../../testing/project.ts';
import { HttpService } from '../web/http-service.ts';
import { HttpEdge } from './http-edge.ts';

const gateway = 'demo.example/ns/istio-ingress/sa/istio-ingressgateway';
const front = 'front.shop.svc.cluster.local';
const notGrpc = {
  key: 'request.headers[content-type]',
  notValues: ['application/grpc', 'application/grpc+*'],
};
const noUpgrade = { key: 'request.headers[upgrade]', notValues: ['*'] };

interface Rule {
  readonly to: readonly { readonly operation: Readonly<Record<string, unknown>> }[];
}
interface Route {
  readonly name: string;
  readonly match?: readonly { readonly uri: unknown }[];
  readonly route: readonly { readonly destination: { readonly host: string } }[];
}

describe('a web front beside the methods of an edge', () => {
  test('gets what no method has, by route and by policy alike, straight from the ingress gateways', () => {
    withShop(({ mesh, shop, catalog }) => {
      const web = frontIn(shop, { servicePort: 80 });
      const api = new HttpService(shop, 'api', { image: 'api:1.0.0', port: 9090 });
      const page = web.route(['GET', 'HEAD'], '/*');
      const expose = [catalog.method.getProduct, page, api.route('POST', '/api/*')] as const;
      const claims = { sub: 'x-user' };
      new HttpEdge(shop, 'edge', { expose, hosts: ['www.example'], jwt: { ...jwt, except: [page] } });
      const other = { ...jwt, claims };
      new HttpEdge(shop, 'other', { expose: [catalog.method.getProduct], hosts: ['o.example'], jwt: other });
      const rendered = synthesize(mesh);
      const spec = objectOf(rendered, 'east', 'VirtualService', 'edge')?.['spec'] as { http: Route[] };
      const led = spec.http.map(({ name, match = [], route }) => [
        name,
        match.map(({ uri }) => uri),
        route[0]?.destination.host.split('.')[0],
      ]);
      const one = "[a-zA-Z0-9-._~%!$&'()*+,;:@=]+";
      expect(led).toEqual([
        ['edge.shop', [{ regex: `/v1/products/${one}` }], 'edge'],
        ['edge.shop api.shop /api/* default', [{ prefix: '/api/' }], 'api'],
        ['edge.shop front.shop /* default', [{ prefix: '/' }], 'front'],
      ]);
      // Headers that claims of another edge go on as are nobody's here.
      expect(spec.http[2]).toMatchObject({ headers: { request: { remove: ['x-user'] } } });
      const { rules } = ofGateways(mesh, 'AuthorizationPolicy', 'edge.shop') as { rules: Rule[] };
      const at = { ports: ['8080'], hosts: ['www.example', 'www.example:80'] };
      expect(rules.slice(1)).toEqual([
        {
          to: [
            {
              operation: {
                ...at,
                ...{ methods: ['GET', 'HEAD'], paths: ['/*'], notPaths: ['/api/*', '/v1/products/{*}'] },
              },
            },
          ],
          when: [notGrpc, noUpgrade],
        },
        {
          from: [{ source: { requestPrincipals: ['https://id.example/*'] } }],
          to: [{ operation: { ...at, methods: ['POST'], paths: ['/api/*'] } }],
          when: [notGrpc, noUpgrade, { key: 'request.auth.audiences', values: ['shop'] }],
        },
      ]);
      expect(objectOf(rendered, 'east', 'AuthorizationPolicy', 'front')?.['spec']).toMatchObject({
        rules: [
          {
            from: [{ source: { principals: [gateway] } }],
            to: [{ operation: { ports: ['8080'], methods: ['GET', 'HEAD'], paths: ['/*'] } }],
          },
        ],
      });
      const annotations = objectOf(rendered, 'east', 'Service', 'front')?.metadata.annotations;
      expect(annotations).toEqual({ 'networking.istio.io/exportTo': '.,istio-eastwest,istio-ingress' });
      const objects = objectsOf(rendered, 'east', 'istio-ingress').filter(
        ({ kind, metadata }) => kind === 'AuthorizationPolicy' && metadata.name === 'edge.shop',
      );
      expectGolden(import.meta.url, 'web-front', [
        ...objects,
        ...objectsOf(rendered, 'east', 'shop').filter(
          ({ kind, metadata }) => kind === 'VirtualService' && metadata.name === 'edge',
        ),
      ]);
    });
  });

  test('is taken out of use by failures to reach it alone: its answers a client may have caused', () => {
    withShop(({ mesh, shop }) => {
      new HttpEdge(shop, 'edge', { expose: [frontIn(shop).route('GET', '/*')] });
      expect(objectOf(synthesize(mesh), 'east', 'DestinationRule', 'front')?.['spec']).toMatchObject({
        host: front,
        trafficPolicy: {
          outlierDetection: { splitExternalLocalOriginErrors: true, consecutiveLocalOriginFailures: 5 },
        },
      });
    });
  });

  test('has its time-out and retries at the gateways, and CORS', () => {
    withShop(({ mesh, shop, catalog }) => {
      const web = frontIn(shop, { timeoutMs: 2000, retries: { attempts: 1 } });
      const cors = { origins: ['https://shop.example'] };
      new HttpEdge(shop, 'edge', { expose: [catalog, web.route('PUT', '/carts/{*}')], cors });
      const rendered = synthesize(mesh);
      const spec = objectOf(rendered, 'east', 'VirtualService', 'edge')?.['spec'] as { http: Route[] };
      const corsPolicy = { allowMethods: ['GET', 'PUT'], unmatchedPreflights: 'IGNORE' };
      expect(spec.http.slice(1, 3)).toMatchObject([
        {
          match: [{ method: { exact: 'GET' } }, {}, {}, {}, {}],
          timeout: '2s',
          retries: { attempts: 1 },
          corsPolicy,
        },
        { timeout: '2s', corsPolicy },
      ]);
      const { rules } = ofGateways(mesh, 'AuthorizationPolicy', 'edge.shop') as { rules: Rule[] };
      expect(rules.at(-1)?.to.map(({ operation }) => operation['paths'])).toEqual([
        expect.anything(),
        ['/carts/{*}'],
      ]);
    });
  });
});

test('an edge of routes alone has no gateway of its own: no pods, no Service', () => {
  withShop(({ mesh, shop }) => {
    const web = frontIn(shop);
    new HttpEdge(shop, 'edge', {
      expose: [web.route('GET', '/*')],
      rateLimits: [{ by: 'client', perSecond: 5 }],
    });
    const rendered = synthesize(mesh);
    const own = objectsOf(rendered, 'east', 'shop').filter(({ metadata }) =>
      metadata.name.startsWith('edge'),
    );
    expect(own.map(({ kind }) => kind)).toEqual(['Gateway', 'VirtualService']);
    expect(JSON.stringify(ofGateways(mesh, 'EnvoyFilter', 'edge.shop'))).toContain('VIRTUAL_HOST');
    const { workloads } = mesh.model();
    expect(workloads.find(({ name }) => name === 'edge')).toMatchObject({ deployments: [], answersFrom: [] });
  });
});

test('its model has requests to try, with and without a token', () => {
  withShop(({ mesh, shop, catalog }) => {
    const web = frontIn(shop);
    const [page, own] = [web.route('GET', '/static/*'), web.route('GET', '/account')];
    const expose = [catalog.method.getProduct, page, own, web.route('POST', '/carts')];
    new HttpEdge(shop, 'edge', { expose, jwt: { ...jwt, except: [page] } });
    const to = { workload: 'front', namespace: 'shop' };
    expect(mesh.model().workloads.find(({ name }) => name === 'edge')?.edge?.web).toEqual([
      { ...to, path: '/static/', token: false },
      { ...to, path: '/account', token: true },
    ]);
  });
});

test('a request to try is for a path of its route that nobody else has within it', () => {
  withShop(({ mesh, shop }) => {
    const api = new HttpService(shop, 'api', { image: 'api:1.0.0', port: 9090 });
    const all = api.route('GET', '/*');
    const expose = [frontIn(shop).route('GET', '/'), all];
    new HttpEdge(shop, 'edge', { expose, jwt: { ...jwt, except: [all] } });
    expect(mesh.model().workloads.find(({ name }) => name === 'edge')?.edge?.web).toEqual([
      { workload: 'front', namespace: 'shop', path: '/', token: true },
      { workload: 'api', namespace: 'shop', path: '/meshwright-probe', token: false },
    ]);
  });
});

describe('refused', () => {
  test('pages about methods at an edge that serves none: they would be open, and those of a service behind it', () => {
    withShop(({ mesh, shop }) => {
      const expose = [frontIn(shop).route('GET', '/*')];
      new HttpEdge(shop, 'edge', { expose, jwt, openapi: true });
      expect(problemsOf(mesh)).toEqual([
        'demo/shop/edge: openapi: wants pages about methods, and the edge serves none by a path; fix: remove it; a service of its own that has such pages exposes them by routes',
      ]);
    });
  });

  test('a path and the same with a slash at its end, if their tokens differ', () => {
    withShop(({ mesh, shop }) => {
      const web = frontIn(shop);
      const except = [web.route('GET', '/account/*'), web.route('GET', '/b/')];
      const expose = [
        ...except,
        web.route('GET', '/account'),
        web.route('GET', '/b'),
        web.route('GET', '/c'),
      ];
      new HttpEdge(shop, 'edge', { expose, jwt: { ...jwt, except } });
      const differ = 'yet their tokens differ: the weaker would hold for both';
      const fix = 'fix: give both the same tokens, or paths apart from each other';
      expect(problemsOf(mesh)).toEqual([
        `demo/shop/edge: expose: has requests that GET /account/* has, too, ${differ}; received "GET /account"; ${fix}`,
        `demo/shop/edge: expose: has requests that GET /b/ has, too, ${differ}; received "GET /b"; ${fix}`,
      ]);
    });
  });

  test('OPTIONS of a path for which any edge lets preflights in without a token', () => {
    withShop(({ mesh, shop }) => {
      const web = frontIn(shop);
      const cors = { origins: ['https://shop.example'] };
      new HttpEdge(shop, 'one', { expose: [web.route('OPTIONS', '/x')], jwt, hosts: ['one.example'] });
      new HttpEdge(shop, 'two', { expose: [web.route('GET', '/*')], jwt, cors, hosts: ['two.example'] });
      expect(problemsOf(mesh)).toEqual([
        'demo/shop/one: cors: a route takes OPTIONS, and preflight requests are let in without a token by demo/shop/two; received "OPTIONS /x"; fix: leave OPTIONS out',
      ]);
    });
  });

  test('paths that two have, where neither is within the other', () => {
    withShop(({ mesh, shop, catalog, orders }) => {
      const web = frontIn(shop);
      const api = new HttpService(shop, 'api', { image: 'api:1.0.0', port: 9090 });
      const expose = [
        catalog.method.getProduct,
        web.route('GET', '/v1/products/new'),
        web.route('GET', '/v1/{*}/new'),
        web.route('GET', '/api/*'),
        api.route('POST', '/api/*'),
        api.route('GET', '/{*}/x'),
      ];
      new HttpEdge(shop, 'edge', { expose });
      const except = [web.route('GET', '/a/*')];
      const mixed = [orders, ...except, web.route(['GET', 'PUT'], '/a/b'), web.route('PUT', '/a/*')];
      new HttpEdge(shop, 'two', { expose: mixed, hosts: ['two.example'], jwt: { ...jwt, except } });
      new HttpEdge(shop, 'three', {
        expose: [...except, web.route('GET', '/a/*')],
        hosts: ['three.example'],
      });
      const own = 'fix: give it others, a beginning such as /* that has them within, or an edge of its own';
      const apart = 'fix: give each its own, or one a beginning that has the other within';
      expect(problemsOf(mesh)).toEqual([
        `demo/shop/edge: expose: has paths that the HTTP gateway serves, too: /v1/products/{*}; received "GET /v1/products/new"; ${own}`,
        `demo/shop/edge: expose: has paths that the HTTP gateway serves, too: /v1/products/{*}; received "GET /v1/{*}/new"; ${own}`,
        `demo/shop/edge: expose: has paths that demo/shop/front has, too: /api/*; received "POST /api/*"; ${apart}`,
        `demo/shop/edge: expose: has paths that demo/shop/front has, too: /api/*; received "GET /{*}/x"; ${apart}`,
        'demo/shop/two: expose: has requests that GET /a/* has, too, yet their tokens differ: the weaker would hold for both; received "GET, PUT /a/b"; fix: give both the same tokens, or paths apart from each other',
        'demo/shop/three: expose: the route is listed twice; received "demo/shop/front: GET /a/*"; fix: remove one',
      ]);
    });
  });

  test('routes that a policy cannot say, tokens of what is not exposed, and preflights', () => {
    withShop(({ mesh, shop, catalog }) => {
      const web = frontIn(shop);
      const loose = web as unknown as { route(...given: unknown[]): ReturnType<typeof web.route> };
      anyEdge(shop, {
        expose: [catalog, loose.route('get', '/a%2fb'), web],
        jwt: { ...jwt, except: [web.route('GET', '/b')], rules: [{ method: 7, claim: 'a', values: ['b'] }] },
      });
      const cors = { origins: ['https://shop.example'] };
      new HttpEdge(shop, 'two', { expose: [web.route('OPTIONS', '/a')], cors, hosts: ['two.example'] });
      const passed = { ...jwt, claims: { sub: 'x-user' }, except: [web.route('OPTIONS', '/c')] };
      new HttpEdge(shop, 'three', {
        expose: [web.route('OPTIONS', '/c')],
        jwt: passed,
        hosts: ['c.example'],
      });
      const verbs = 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS';
      const path =
        'allowed /api/items, /api/* for all below /api/, or /api/{*}/items, where {*} is one segment and a last {**} all that follow; ' +
        'of letters, digits and - . _ ~ ! $ & ( ) + , : @ =';
      const kinds = 'is not a method or route of a declared service';
      const forms = 'allowed SERVICE.method.NAME or SERVICE.route(VERB, PATH) of an HttpService';
      const leave = 'fix: leave OPTIONS out';
      const methods = ['GetProduct', 'ListProducts', 'WatchPrices'];
      const exposed = methods.map((name) => `test.catalog.v1.CatalogService/${name}`).join(', ');
      expect(problemsOf(mesh)).toEqual([
        `demo/shop/edge: expose[1]: is not a verb of HTTP; received "get"; allowed ${verbs}; fix: did you mean GET?`,
        `demo/shop/edge: expose[1]: is percent-encoded: proxies compare what was sent, and a client may encode another way, or not at all; received "/a%2fb"; ${path}`,
        `demo/shop/edge: expose[2]: ${kinds}; received "demo/shop/front"; ${forms}`,
        `demo/shop/edge: jwt.except[0]: the route is not exposed; received "GET /b"; allowed ${exposed}, get /a%2fb; fix: expose it, or remove it here`,
        `demo/shop/edge: jwt.rules[0].method: ${kinds}; received 7; ${forms}`,
        `demo/shop/two: cors: a route takes OPTIONS, and preflight requests are let in without a token; received "OPTIONS /a"; ${leave}`,
        `demo/shop/three: jwt.claims: a route takes OPTIONS, and the gateways do not remove claim metadata from preflight requests; received "OPTIONS /c"; ${leave}`,
      ]);
    });
  });

  test('gateways that belong to others', () => {
    withProject({}, (root) => {
      const mesh = onExisting(root, joined);
      const { shop, catalog } = shopOnExisting(mesh);
      const expose = [catalog.method.getProduct, frontIn(shop).route('GET', '/*')];
      new HttpEdge(shop, 'edge', { expose, hosts: ['www.example'] });
      expect(problemsOf(mesh)).toEqual([
        'demo/shop/edge: expose: has routes of a service over plain HTTP, at gateways that belong to others: nothing there is ours, so that tokens and limits ' +
          'could be held by no proxy but the service\'s own, for callers in the mesh, too; received ["demo/shop/front: GET /*"]; ' +
          "fix: remove them, or leave ingress out of the platform for gateways of the mesh's own",
      ]);
    });
  });
});
