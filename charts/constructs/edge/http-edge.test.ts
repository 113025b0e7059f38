import { describe, expect, test } from '@jest/globals';
import { Health } from '../../../gen/grpc/health/v1/health_pb.js';
import { InventoryService } from '../../../gen/shop/inventory/v1/inventory_pb.js';
import { OrdersService } from '../../../gen/shop/orders/v1/orders_pb.js';
import { synthesize } from '../../synth.ts';
import { expectGolden } from '../../testing/golden.ts';
import { libraryOf, type Rule } from '../../testing/library.ts';
import { catalogIn, objectOf, objectsOf, problemsOf, twoClusters } from '../../testing/mesh.ts';
import { withProject } from '../../testing/project.ts';
import { GrpcService } from '../grpc-service.ts';
import type { Mesh } from '../mesh.ts';
import type { Namespace } from '../namespace.ts';
import { corsPolicy } from './cors.ts';
import { HttpEdge, type HttpEdgeProps } from './http-edge.ts';
import type { Jwt } from './jwt.ts';

type Clusters = 'east' | 'west';

interface Shop {
  readonly mesh: Mesh<Clusters>;
  readonly shop: Namespace<Clusters>;
  readonly catalog: ReturnType<typeof catalogIn<Clusters>>;
  readonly orders: GrpcService<typeof OrdersService, Clusters>;
  readonly inventory: GrpcService<typeof InventoryService, Clusters>;
}

/** Runs a test with three services, before which it may declare edges. */
function withShop(run: (shop: Shop) => void): void {
  withProject({}, (root) => {
    const mesh = twoClusters(root);
    const shop = mesh.namespace('shop');
    const catalog = catalogIn(shop);
    const orders = new GrpcService(shop, 'orders', { app: 'apps/orders', service: OrdersService });
    const inventory = new GrpcService(shop, 'inventory', {
      app: 'apps/inventory',
      service: InventoryService,
    });
    run({ mesh, shop, catalog, orders, inventory });
  });
}

/** Declares an edge as plain JavaScript may: with anything. */
function anyEdge(shop: Namespace<Clusters>, props: object): void {
  new HttpEdge(shop, 'edge', props as HttpEdgeProps<Clusters>);
}

const get = (path: string): Rule => ({ pattern: { case: 'get', value: path } });

const jwt = {
  issuer: 'https://id.example',
  audiences: ['shop'],
  jwksUri: 'https://id.example/keys',
} as const satisfies Jwt<Clusters>;

const ofGateways = (mesh: Mesh<string>, kind: string, name: string) =>
  objectOf(synthesize(mesh), 'west', kind, name)?.['spec'] as Record<string, unknown> | undefined;

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
        spec: { rules: [{ to: [{ operation: { paths: ['/shop.catalog.v1.CatalogService/GetProduct'] } }] }] },
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
    const edge = objectsOf(rendered, 'west').filter(({ metadata }) => /^edge(\.shop)?$/.test(metadata.name));
    expectGolden(import.meta.url, 'http-edge', edge);
  });
});

describe('tokens', () => {
  test('each method asks for what was declared, and claims go on as metadata', () => {
    withShop(({ mesh, shop, catalog, orders }) => {
      new HttpEdge(shop, 'edge', {
        expose: [catalog, orders],
        jwt: {
          ...jwt,
          claims: { sub: 'x-user' },
          except: [catalog.method.listProducts],
          rules: [{ method: orders.method.createOrder, claim: 'realm.roles', values: ['buyer', 'admin'] }],
        },
      });
      expect(ofGateways(mesh, 'RequestAuthentication', 'edge.shop')).toMatchObject({
        jwtRules: [{ ...jwt, outputClaimToHeaders: [{ claim: 'sub', header: 'x-user' }] }],
      });
      const from = [{ source: { requestPrincipals: ['https://id.example/*'] } }];
      const audience = { key: 'request.auth.audiences', values: ['shop'] };
      const { rules } = ofGateways(mesh, 'AuthorizationPolicy', 'edge.shop') as { rules: unknown[] };
      const open = [{ operation: { ports: ['8080'], methods: ['GET'], paths: ['/v1/products'] } }];
      expect(rules).toHaveLength(4);
      expect(rules).toEqual(
        expect.arrayContaining([
          // The claims of another edge's token would go on as this one's.
          { to: open, when: [{ key: 'request.auth.claims[iss]', notValues: ['*'] }] },
          { from, to: open, when: [audience] },
          {
            from,
            to: [{ operation: { ports: ['8080'], methods: ['POST'], paths: ['/v1/orders'] } }],
            when: [audience, { key: 'request.auth.claims[realm][roles]', values: ['buyer', 'admin'] }],
          },
          {
            from,
            to: [
              {
                operation: {
                  ports: ['8080'],
                  methods: ['GET'],
                  paths: ['/v1/orders', '/v1/orders/{*}', '/v1/prices:watch', '/v1/products/{*}'],
                },
              },
            ],
            when: [audience],
          },
        ]),
      );
      expect(objectOf(synthesize(mesh), 'east', 'Deployment', 'edge')).toMatchObject({
        spec: {
          template: {
            spec: {
              containers: [{ env: expect.arrayContaining([{ name: 'CLAIM_HEADERS', value: 'x-user' }]) }],
            },
          },
        },
      });
    });
  });

  test('without claims to pass on, what needs no token is for everybody', () => {
    withShop(({ mesh, shop, catalog }) => {
      const { getProduct, listProducts } = catalog.method;
      new HttpEdge(shop, 'edge', {
        expose: [getProduct, listProducts],
        jwt: { ...jwt, except: [getProduct] },
      });
      expect(ofGateways(mesh, 'AuthorizationPolicy', 'edge.shop')).toHaveProperty('rules.0', {
        to: [{ operation: { ports: ['8080'], methods: ['GET'], paths: ['/v1/products/{*}'] } }],
      });
    });
  });

  test('edges of one issuer say the same of its tokens, which the gateways authenticate once', () => {
    withShop(({ mesh, shop, catalog, orders }) => {
      const { getProduct, listProducts } = catalog.method;
      new HttpEdge(shop, 'open', { expose: [getProduct], hosts: ['open.example'] });
      new HttpEdge(shop, 'edge', { expose: [getProduct], jwt: { ...jwt, claims: { sub: 'x-user' } } });
      new HttpEdge(shop, 'staff', {
        expose: [orders],
        hosts: ['staff.example'],
        jwt: { ...jwt, audiences: ['shop', 'staff'], claims: { sub: 'x-user', role: 'x-role' } },
      });
      new HttpEdge(shop, 'other', {
        expose: [listProducts],
        hosts: ['other.example'],
        jwt: { ...jwt, issuer: 'https://other.example', claims: { email: 'x-user' } },
      });
      const shared = {
        ...jwt,
        audiences: ['shop', 'staff'],
        outputClaimToHeaders: [
          { claim: 'sub', header: 'x-user' },
          { claim: 'role', header: 'x-role' },
        ],
      };
      for (const edge of ['edge', 'staff']) {
        const { jwtRules } = ofGateways(mesh, 'RequestAuthentication', `${edge}.shop`) ?? {};
        expect(jwtRules).toEqual([shared]);
      }
      // Whom a token is for is still asked of each edge's own.
      expect(ofGateways(mesh, 'AuthorizationPolicy', 'edge.shop')).toMatchObject({
        rules: [{ when: [{ key: 'request.auth.audiences', values: ['shop'] }] }],
      });
      expect(ofGateways(mesh, 'RequestAuthentication', 'other.shop')).toMatchObject({
        jwtRules: [{ audiences: ['shop'], outputClaimToHeaders: [{ claim: 'email', header: 'x-user' }] }],
      });
    });
  });

  test('edges of one issuer that differ in its keys or in what a claim goes on as', () => {
    withShop(({ mesh, shop, catalog, orders }) => {
      const { getProduct } = catalog.method;
      new HttpEdge(shop, 'edge', { expose: [getProduct], jwt: { ...jwt, claims: { sub: 'x-user' } } });
      new HttpEdge(shop, 'staff', {
        expose: [orders],
        hosts: ['staff.example'],
        jwt: { ...jwt, jwksUri: 'https://id.example/others', claims: { email: 'x-user' } },
      });
      const because = 'and the gateways authenticate the tokens of an issuer once for all edges';
      expect(problemsOf(mesh)).toEqual([
        `demo/shop/staff: jwt: the issuer has other keys at demo/shop/edge, ${because}; ` +
          'fix: give both the same jwksUri or jwks',
        `demo/shop/staff: jwt.claims.email: the metadata has the claim sub at demo/shop/edge, ${because}; ` +
          'received "x-user"; fix: use another name',
      ]);
    });
  });

  test('problems, none of which shows a key', () => {
    withShop(({ mesh, shop, catalog, orders }) => {
      const secret = 'c2VjcmV0';
      const claimRule =
        "the claim's name without spaces and brackets; dots lead into objects, so a name that is a URL cannot be said";
      anyEdge(shop, {
        expose: [catalog.method.getProduct, catalog.method.listProducts],
        jwt: {
          issuer: '',
          audiences: [],
          jwks: {
            keys: [
              { kty: 'EC', crv: 'P-256', x: 'a', y: 'b', d: secret },
              { kty: 'oct', alg: 'HS256' },
            ],
          },
          claims: { sub: 'authorization', 'a b': 'x-a', role: 'x-role', roles: 'x-role' },
          except: [orders.method.listOrders, 'listProducts', catalog.method.listProducts],
          rules: [
            { method: catalog.method.listProducts, claim: '', values: [] },
            { method: catalog.method.getProduct, claim: 'scope', values: ['stock', 'orders:*'] },
          ],
        },
      });
      const problems = problemsOf(mesh);
      expect(problems).toEqual([
        'demo/shop/edge: jwt.issuer: is no issuer; received ""; allowed what its tokens say in iss, such as https://id.example',
        'demo/shop/edge: jwt.audiences: without an audience tokens meant for others would be taken; received []; ' +
          "allowed a list of what this edge's tokens say in aud",
        'demo/shop/edge: jwt.jwks.keys[0]: the key is not public: it has d; ' +
          'fix: give the public key alone, and replace this one: it has been in a source file',
        'demo/shop/edge: jwt.jwks.keys[1]: the key is not public: it has kty oct; ' +
          'fix: give the public key alone, and replace this one: it has been in a source file',
        'demo/shop/edge: jwt.claims.sub: is no name of metadata for a claim; received "authorization"; ' +
          "allowed 'x-' and then 1 to 61 of a-z, 0-9, '_' and '-', not ending in '-bin', " +
          'and no name that proxies or tracing use',
        'demo/shop/edge: jwt.claims: is no claim; received "a b"; ' + `allowed ${claimRule}`,
        'demo/shop/edge: jwt.claims.roles: the metadata has the claim role already; received "x-role"',
        'demo/shop/edge: jwt.except[0]: the method is not exposed; received "shop.orders.v1.OrdersService/ListOrders"; ' +
          'allowed shop.catalog.v1.CatalogService/GetProduct, shop.catalog.v1.CatalogService/ListProducts; ' +
          'fix: expose it, or leave it out here',
        'demo/shop/edge: jwt.except[1]: is no method of a declared service; received "listProducts"; ' +
          'allowed SERVICE.method.NAME',
        'demo/shop/edge: jwt.rules[0]: the method needs no token; ' +
          'received "shop.catalog.v1.CatalogService/ListProducts"; fix: take it out of except, or drop the rule',
        'demo/shop/edge: jwt.rules[0].claim: is no claim; received ""; ' + `allowed ${claimRule}`,
        'demo/shop/edge: jwt.rules[0].values: are no values; received []; allowed a list of at least one text',
        "demo/shop/edge: jwt.rules[1].values: Istio takes '*' at the start or end of a value for any text; " +
          'received ["stock","orders:*"]; fix: name each value',
      ]);
      expect(problems.join()).not.toContain(secret);
    });
  });

  const userinfo =
    'has a user or a password in its URL, which everyone who reads the mesh would see; ' +
    'fix: leave it out, and replace the password: it has been in a source file';

  test('issuers that are no URLs, as Google and others have them', () => {
    withShop(({ mesh, shop, catalog }) => {
      new HttpEdge(shop, 'edge', { expose: [catalog], jwt: { ...jwt, issuer: 'robot@id.example' } });
      expect(problemsOf(mesh)).toEqual([]);
    });
  });

  test.each([
    [{ jwksUri: undefined }, 'jwt: there are no keys to check tokens with; allowed either jwksUri or jwks'],
    [{ jwks: { keys: [] } }, 'jwt: there are two sources of keys; allowed either jwksUri or jwks'],
    [{ jwksUri: undefined, jwks: {} }, 'jwt.jwks: is no key set; allowed { keys: [...] } (RFC 7517)'],
    [
      { jwksUri: 'http://id.example/keys' },
      'jwt.jwksUri: keys are fetched over HTTPS only: whoever can change them can sign tokens; ' +
        'received "http://id.example/keys"; allowed an https:// URL',
    ],
    [
      { jwksUri: undefined, jwks: { keys: [{ kty: 'RSA' }] } },
      'jwt.jwks.keys[0]: is no public key that can be read; allowed an RSA, EC or OKP key (RFC 7518 and RFC 8037)',
    ],
    [{ jwksUri: 'https://ada:pw@id.example/keys' }, `jwt.jwksUri: ${userinfo}`],
    [{ issuer: 'https://ada:pw@id.example' }, `jwt.issuer: ${userinfo}`],
    [
      { claims: { 'https://shop.example/roles': 'x-roles' } },
      'jwt.claims: is no claim; received "https://shop.example/roles"; allowed the claim\'s name without spaces and ' +
        'brackets; dots lead into objects, so a name that is a URL cannot be said',
    ],
    [{ except: 'all' }, 'jwt.except: is no list; received "all"'],
  ])('a problem with %j', (change, problem) => {
    withShop(({ mesh, shop, catalog }) => {
      anyEdge(shop, { expose: [catalog], jwt: { ...jwt, ...change } });
      expect(problemsOf(mesh)).toEqual([`demo/shop/edge: ${problem}`]);
    });
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
        `demo/shop/first: hosts: is no host; received "*.example"; ${allowed}`,
        'demo/shop/first: hosts: the host is listed twice; received "api.example"; fix: remove one',
        'demo/shop/second: hosts: the host is already that of demo/shop/first; received "api.example"; ' +
          'fix: give each edge hosts of its own, or expose the methods there',
        `demo/shop/second: hosts: '*' is every host already; received ["api.example","*"]; fix: keep '*' or the names`,
        "demo/shop/third: hosts: there is no host; received []; fix: name a host, or leave hosts out for ['*']",
      ]);
    });
  });
});

describe('TLS', () => {
  test('HTTPS from a Secret, TLS 1.2 or later, and plain HTTP redirects to it', () => {
    withShop(({ mesh, shop, catalog }) => {
      new HttpEdge(shop, 'edge', {
        expose: [catalog.method.getProduct],
        hosts: ['api.example'],
        tls: { secret: 'api-example' },
      });
      expect(ofGateways(mesh, 'Gateway', 'edge')).toMatchObject({
        servers: [
          { port: { number: 80, protocol: 'HTTP' }, tls: { httpsRedirect: true } },
          {
            port: { number: 443, protocol: 'HTTPS' },
            hosts: ['api.example'],
            tls: { mode: 'SIMPLE', credentialName: 'api-example', minProtocolVersion: 'TLSV1_2' },
          },
        ],
      });
      expect(ofGateways(mesh, 'AuthorizationPolicy', 'edge.shop')).toMatchObject({
        rules: [
          {
            to: [{ operation: { ports: ['8443'], hosts: ['api.example', 'api.example:443'] } }],
            when: [{ key: 'connection.sni', values: ['api.example'] }],
          },
          { to: [{ operation: { ports: ['8080'], hosts: ['api.example', 'api.example:80'] } }] },
        ],
      });
      expect(ofGateways(mesh, 'Service', 'istio-ingressgateway')).toMatchObject({
        ports: [{ port: 15021 }, { port: 80 }, { name: 'https', port: 443, targetPort: 8443 }],
      });
    });
  });

  test('without the redirect port 80 is closed for it', () => {
    withShop(({ mesh, shop, catalog }) => {
      new HttpEdge(shop, 'edge', {
        expose: [catalog.method.getProduct],
        tls: { secret: 'tls', httpRedirect: false },
      });
      expect(ofGateways(mesh, 'Gateway', 'edge')).toMatchObject({ servers: [{ port: { number: 443 } }] });
      const { rules } = ofGateways(mesh, 'AuthorizationPolicy', 'edge.shop') as { rules: unknown[] };
      expect(rules).toEqual([
        { to: [{ operation: { ports: ['8443'], methods: ['GET'], paths: ['/v1/products/{*}'] } }] },
      ]);
    });
  });

  test('problems, which do not show what was given for the Secret', () => {
    withShop(({ mesh, shop, catalog }) => {
      anyEdge(shop, { expose: [catalog], tls: { secret: '-----BEGIN PRIVATE KEY-----', httpRedirect: 1 } });
      expect(problemsOf(mesh)).toEqual([
        'demo/shop/edge: tls.secret: is no name of a Secret; allowed up to 253 of a-z, 0-9, hyphens and dots; ' +
          'fix: put certificate and key into a Secret of type kubernetes.io/tls in istio-ingress, and name it here',
        'demo/shop/edge: tls.httpRedirect: is no boolean; received 1',
      ]);
    });
  });
});

describe('CORS', () => {
  test('allows by itself only HTTP methods that istiod takes', () => {
    const { allowMethods } = corsPolicy({ origins: ['https://shop.example'] }, ['*', 'GET', 'REPORT']);
    expect(allowMethods).toEqual(['GET']);
  });

  test('pages of the origins may use the exposed methods, and their preflights need no token', () => {
    withShop(({ mesh, shop, catalog, orders }) => {
      new HttpEdge(shop, 'edge', {
        expose: [catalog.method.getProduct, orders.method.createOrder],
        jwt,
        cors: { origins: ['https://shop.example', { regex: 'https://[a-z]+\\.example' }], credentials: true },
      });
      expect(ofGateways(mesh, 'VirtualService', 'edge')).toMatchObject({
        http: [
          {
            corsPolicy: {
              allowOrigins: [{ exact: 'https://shop.example' }, { regex: 'https://[a-z]+\\.example' }],
              allowMethods: ['GET', 'POST'],
              allowHeaders: ['authorization', 'content-type'],
              allowCredentials: true,
              maxAge: '600s',
            },
          },
        ],
      });
      const { rules } = ofGateways(mesh, 'AuthorizationPolicy', 'edge.shop') as { rules: unknown[] };
      expect(rules.at(-1)).toEqual({
        to: [
          { operation: { ports: ['8080'], methods: ['OPTIONS'], paths: ['/v1/orders', '/v1/products/{*}'] } },
        ],
        when: [
          { key: 'request.headers[origin]', values: ['*'] },
          { key: 'request.headers[access-control-request-method]', values: ['*'] },
        ],
      });
    });
  });

  test('problems', () => {
    withShop(({ mesh, shop, catalog }) => {
      anyEdge(shop, {
        expose: [catalog],
        cors: {
          origins: [
            '*',
            'https://shop.example/',
            { regex: '.*' },
            7,
            { regex: 'https?://.*' },
            { regex: '(?i)HTTPS://([a-z0-9-]+\\.)+[a-z]+' },
            { regex: 'https://(?:shop' },
          ],
          methods: ['get'],
          headers: ['a, b'],
          credentials: true,
          maxAgeSeconds: -1,
        },
      });
      const every =
        'with credentials every site could act for its visitors; received %; ' +
        'fix: name the origins, or leave credentials out';
      const allowed = "allowed '*', an origin such as https://shop.example, or { regex }";
      expect(problemsOf(mesh)).toEqual([
        `demo/shop/edge: cors.origins[0]: ${every.replace('%', '"*"')}`,
        `demo/shop/edge: cors.origins[1]: is no origin; received "https://shop.example/"; ${allowed}`,
        `demo/shop/edge: cors.origins[2]: ${every.replace('%', '".*"')}`,
        `demo/shop/edge: cors.origins[3]: is no origin; received 7; ${allowed}`,
        `demo/shop/edge: cors.origins[4]: ${every.replace('%', '"https?://.*"')}`,
        `demo/shop/edge: cors.origins[5]: ${every.replace('%', '"(?i)HTTPS://([a-z0-9-]+\\\\.)+[a-z]+"')}`,
        'demo/shop/edge: cors.origins[6]: is no RE2 expression: it has a ( without its ); received "https://(?:shop"',
        'demo/shop/edge: cors.methods: is no list of HTTP methods that Istio takes; received ["get"]; ' +
          'allowed a list of GET, HEAD, POST, PUT, PATCH, DELETE, CONNECT, OPTIONS, TRACE, *',
        'demo/shop/edge: cors.headers: is no list of HTTP names; received ["a, b"]',
        'demo/shop/edge: cors.maxAgeSeconds: is no time; received -1; allowed a whole number from 0 to 86400',
      ]);
    });
  });
});

describe('limits', () => {
  test('stand on the route of the edge, for a filter that the gateways have once', () => {
    withShop(({ mesh, shop, catalog, orders }) => {
      new HttpEdge(shop, 'edge', {
        expose: [catalog, orders],
        jwt: { ...jwt, except: [catalog.method.listProducts] },
        rateLimits: [
          { method: catalog.method.getProduct, perSecond: 50, burst: 100, by: 'client' },
          { method: catalog.method.listProducts, perSecond: 5, by: 'client' },
          { method: catalog.method.listProducts, perSecond: 500, by: 'method' },
          { perSecond: 1_000, by: 'all' },
        ],
      });
      new HttpEdge(shop, 'other', {
        expose: [catalog.method.getProduct],
        hosts: ['other.example'],
        rateLimits: [{ perSecond: 9, by: 'client' }],
      });
      const limits = ofGateways(mesh, 'EnvoyFilter', 'edge.shop');
      const gateways = ofGateways(mesh, 'EnvoyFilter', 'rate-limits');
      expect(gateways).toMatchObject({ configPatches: [{ patch: { operation: 'INSERT_BEFORE' } }] });
      expect(limits).toMatchObject({
        configPatches: [{ match: { routeConfiguration: { vhost: { route: { name: 'edge.shop' } } } } }],
      });
      expectGolden(
        import.meta.url,
        'edge-limits',
        objectsOf(synthesize(mesh), 'east', 'istio-ingress').filter(({ kind }) => kind === 'EnvoyFilter'),
      );
    });
  });

  test('problems', () => {
    withShop(({ mesh, shop, catalog, orders }) => {
      anyEdge(shop, {
        expose: [catalog],
        rateLimits: [
          { method: orders.method.getOrder, perSecond: 1, by: 'client' },
          { method: catalog.method.getProduct, perSecond: 0, by: 'all' },
          { perSecond: 10, burst: 5, by: 'method' },
          { perSecond: 10, by: 'client' },
          { perSecond: 20, by: 'client' },
        ],
      });
      expect(problemsOf(mesh)).toEqual([
        'demo/shop/edge: rateLimits[1].by: is no way to count; received "all"; allowed client, method',
        'demo/shop/edge: rateLimits[1].perSecond: is no rate; received 0; allowed a whole number from 1 to 1000000000',
        'demo/shop/edge: rateLimits[2].by: is no way to count; received "method"; allowed client, all',
        'demo/shop/edge: rateLimits[2].burst: is no burst; received 5; ' +
          'allowed a whole number from perSecond, 10, to 1000000000',
        'demo/shop/edge: rateLimits[4]: there is a limit like this already; received "all by client"; fix: remove one',
        'demo/shop/edge: rateLimits[0].method: the method is not exposed; received "shop.orders.v1.OrdersService/GetOrder"; ' +
          'allowed shop.catalog.v1.CatalogService/GetProduct, shop.catalog.v1.CatalogService/ListProducts, ' +
          'shop.catalog.v1.CatalogService/WatchPrices; fix: expose it, or leave it out here',
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
      const no = 'is no method of a declared service';
      expect(problemsOf(mesh)).toEqual([
        'demo/a/edge: expose: there is nothing to expose; received "demo/shop/catalog"; ' +
          'fix: name a method, or remove the edge',
        `demo/b/edge: expose[0]: ${no}; received {"getProduct":"demo/shop/catalog.method.getProduct",` +
          '"listProducts":"demo/shop/catalog.method.listProducts","watchPrices…; allowed SERVICE.method.NAME',
        `demo/b/edge: expose[1]: ${no}; received ["demo/shop/catalog.method.getProduct"]; allowed SERVICE.method.NAME`,
      ]);
    });
  });

  test.each([['v1/a'], ['/v1/{id=}'], ['']])('the path %j, also of a service exposed as a whole', (path) => {
    withShop(({ mesh, shop }) => {
      const service = libraryOf({ Sound: get('/v1/ok'), Broken: get(path), Plain: undefined });
      const library = new GrpcService(shop, 'library', { app: 'apps/orders', service });
      new HttpEdge(shop, 'edge', { expose: [library] });
      expect(problemsOf(mesh).filter((problem) => problem.startsWith('demo/shop/edge'))).toEqual([
        'demo/shop/edge: expose: the google.api.http option of test.Library/Broken has no path template; ' +
          `received "${path}"; fix: see "Path template syntax" in google/api/http.proto`,
      ]);
    });
  });

  test('methods', () => {
    withShop(({ mesh, shop, catalog, inventory }) => {
      const { getProduct } = catalog.method;
      const misspelled = (catalog.method as unknown as Record<string, unknown>)['getProdukt'];
      anyEdge(shop, {
        expose: [getProduct, catalog, getProduct, inventory.method.syncStock, misspelled, 'catalog'],
      });
      expect(problemsOf(mesh)).toEqual([
        'demo/shop/edge: expose[3]: the method has no HTTP path; received "shop.inventory.v1.InventoryService/SyncStock"; ' +
          'fix: add a google.api.http option to it, or do not expose it',
        'demo/shop/edge: expose[4]: demo/shop/catalog has no such method; received "getProdukt"; ' +
          'allowed getProduct, listProducts, watchPrices; fix: did you mean getProduct?',
        'demo/shop/edge: expose[5]: is no method of a declared service; received "catalog"; ' +
          'allowed SERVICE.method.NAME',
        'demo/shop/edge: expose: the method is listed twice; ' +
          'received "shop.catalog.v1.CatalogService/GetProduct"; fix: remove one',
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
        'demo/shop/health: service: apps/orders/config.yml does not say that the app serves it; ' +
          'received "grpc.health.v1.Health"; allowed shop.orders.v1.OrdersService; ' +
          'fix: pass a service the app serves, or add grpc.health.v1.Health to services in apps/orders/config.yml',
        'demo/shop/edge: expose: no method of the service has an HTTP path; received "demo/shop/health"; ' +
          'fix: add a google.api.http option to a method, or do not expose it',
        'demo/shop/edge: expose: is a service in another mesh; received "demo/shop/catalog"; ' +
          'fix: declare the service in this mesh',
        'demo/shop/edge: expose: the service is listed twice; received "demo/shop/catalog"; fix: remove one',
        'demo/shop/edge: expose: the service serves shop.catalog.v1.CatalogService, as does demo/shop/catalog: ' +
          'its paths would be ambiguous; received "demo/copy/catalog"; fix: expose one of them',
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
});
