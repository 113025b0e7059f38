import { describe, expect, test } from '@jest/globals';
import { synthesize } from '../../synth.ts';
import { anyEdge, isNotGrpc, jwt, ofGateways, withShop } from '../../testing/edge.ts';
import { objectOf, problemsOf } from '../../testing/mesh.ts';
import { HttpEdge } from './http-edge.ts';

const path =
  "the claim's name, with dots between the levels of nested objects, such as realm.roles; or each name in brackets, if one contains a dot " +
  'itself, such as [kubernetes.io][namespace]';

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
      const open = [{ operation: { ports: ['8080'], methods: ['GET', 'HEAD'], paths: ['/v1/products'] } }];
      expect(rules).toHaveLength(4);
      expect(rules).toEqual(
        expect.arrayContaining([
          // The claims of another edge's token would go on as this one's.
          { to: open, when: [isNotGrpc, { key: 'request.auth.claims[iss]', notValues: ['*'] }] },
          { from, to: open, when: [isNotGrpc, audience] },
          {
            from,
            to: [{ operation: { ports: ['8080'], methods: ['POST'], paths: ['/v1/orders'] } }],
            when: [
              isNotGrpc,
              audience,
              { key: 'request.auth.claims[realm][roles]', values: ['buyer', 'admin'] },
            ],
          },
          {
            from,
            to: [
              {
                operation: {
                  ports: ['8080'],
                  methods: ['GET'],
                  paths: [
                    '/v1/orders',
                    '/v1/orders/{*}',
                    '/v1/prices:watch',
                    '/v1/products/{*}',
                    '/v1/quotes:watch',
                  ],
                },
              },
              {
                operation: {
                  ports: ['8080'],
                  methods: ['HEAD'],
                  paths: ['/v1/orders', '/v1/orders/{*}', '/v1/products/{*}'],
                },
              },
            ],
            when: [isNotGrpc, audience],
          },
        ]),
      );
      expect(objectOf(synthesize(mesh), 'east', 'Deployment', 'edge')).toMatchObject({
        spec: {
          template: {
            spec: {
              containers: [
                {
                  env: expect.arrayContaining([
                    { name: 'CLAIM_HEADERS', value: 'x-user' },
                    { name: 'SUBJECT_HEADER', value: 'x-user' },
                  ]),
                },
              ],
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
        to: [{ operation: { ports: ['8080'], methods: ['GET', 'HEAD'], paths: ['/v1/products/{*}'] } }],
        when: [isNotGrpc],
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
        rules: [{ when: [isNotGrpc, { key: 'request.auth.audiences', values: ['shop'] }] }],
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
        `demo/shop/staff: jwt: the issuer has different keys at demo/shop/edge, ${because}; ` +
          'fix: give both the same jwksUri or jwks',
        `demo/shop/staff: jwt.claims.email: the metadata already carries the claim sub at demo/shop/edge, ${because}; ` +
          'received "x-user"; fix: use another name',
      ]);
    });
  });

  test('problems, none of which shows a key', () => {
    withShop(({ mesh, shop, catalog, orders }) => {
      const secret = 'c2VjcmV0';
      const plain =
        "the claim's name without spaces and brackets, with dots between the levels of nested objects";
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
        'demo/shop/edge: jwt.issuer: is not an issuer; received ""; allowed the value of iss in its tokens, such as https://id.example',
        'demo/shop/edge: jwt.audiences: without an audience, tokens meant for others would be accepted; received []; ' +
          "allowed a list of the values of aud in this edge's tokens",
        'demo/shop/edge: jwt.jwks.keys[0]: the key is not public: it has d; ' +
          'fix: give only the public key, and replace this one: it has been in a source file',
        'demo/shop/edge: jwt.jwks.keys[1]: the key is not public: it has kty oct; ' +
          'fix: give only the public key, and replace this one: it has been in a source file',
        'demo/shop/edge: jwt.claims.sub: is not a metadata name that a claim may use; received "authorization"; ' +
          "allowed 'x-' followed by 1 to 61 of a-z, 0-9, '_' and '-', not ending in '-bin', and not a name that proxies or tracing use",
        'demo/shop/edge: jwt.claims: is not the name of a claim; received "a b"; ' + `allowed ${plain}`,
        'demo/shop/edge: jwt.claims.roles: the metadata already carries the claim role; received "x-role"',
        'demo/shop/edge: jwt.except[0]: the method is not exposed; received "test.orders.v1.OrdersService/ListOrders"; ' +
          'allowed test.catalog.v1.CatalogService/GetProduct, test.catalog.v1.CatalogService/ListProducts; ' +
          'fix: expose it, or remove it here',
        'demo/shop/edge: jwt.except[1]: is not a method of a declared service; received "listProducts"; ' +
          'allowed SERVICE.method.NAME',
        'demo/shop/edge: jwt.rules[0]: the method needs no token, because except lists it; ' +
          'received "test.catalog.v1.CatalogService/ListProducts"; fix: remove it from except, or remove the rule',
        'demo/shop/edge: jwt.rules[0].claim: is not the name of a claim; received ""; ' + `allowed ${path}`,
        'demo/shop/edge: jwt.rules[0].values: is not a list of values; received []; allowed a list of at least one string',
        "demo/shop/edge: jwt.rules[1].values: Istio reads '*' at the start or end of a value as a wildcard; " +
          'received ["stock","orders:*"]; fix: list each value',
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
    [{ jwksUri: undefined }, 'jwt: there are no keys to verify tokens with; allowed either jwksUri or jwks'],
    [{ jwks: { keys: [] } }, 'jwt: there are two sources of keys; allowed either jwksUri or jwks'],
    [
      { jwksUri: undefined, jwks: {} },
      'jwt.jwks: is not a JSON Web Key Set; allowed { keys: [...] } (RFC 7517)',
    ],
    [
      { jwksUri: 'http://id.example/keys' },
      'jwt.jwksUri: keys are fetched over HTTPS only: whoever can change them can sign tokens; ' +
        'received "http://id.example/keys"; allowed an https:// URL',
    ],
    [
      { jwksUri: undefined, jwks: { keys: [{ kty: 'RSA' }] } },
      'jwt.jwks.keys[0]: is not a public key that can be parsed; allowed an RSA, EC or OKP key (RFC 7518 and RFC 8037)',
    ],
    [{ jwksUri: 'https://ada:pw@id.example/keys' }, `jwt.jwksUri: ${userinfo}`],
    [{ issuer: 'https://ada:pw@id.example' }, `jwt.issuer: ${userinfo}`],
    [
      { claims: { 'https://shop.example/roles': 'x-roles' } },
      'jwt.claims: has a dot in its name, which Envoy would read as a path into an object; ' +
        'received "https://shop.example/roles"; allowed the claim\'s name without spaces and brackets, with dots between ' +
        'the levels of nested objects; fix: have the issuer put it into a claim without dots',
    ],
    [{ except: 'all' }, 'jwt.except: is not a list; received "all"'],
  ])('a problem with %j', (change, problem) => {
    withShop(({ mesh, shop, catalog }) => {
      anyEdge(shop, { expose: [catalog], jwt: { ...jwt, ...change } });
      expect(problemsOf(mesh)).toEqual([`demo/shop/edge: ${problem}`]);
    });
  });
});

describe('D11: claims by which Istio compares', () => {
  /** What synth says of a rule about a claim of GetProduct, and the conditions it makes. */
  const withRule = (claim: string, values: readonly unknown[] = ['a']) => {
    let found: { readonly problems: readonly string[]; readonly keys: readonly string[] } | undefined;
    withShop(({ mesh, shop, catalog }) => {
      const { getProduct: method } = catalog.method;
      anyEdge(shop, { expose: [method], jwt: { ...jwt, rules: [{ method, claim, values }] } });
      const problems = problemsOf(mesh);
      const policy =
        problems.length > 0 ? '' : JSON.stringify(ofGateways(mesh, 'AuthorizationPolicy', 'edge.shop'));
      const keys = [...policy.matchAll(/"key":"request\.auth\.claims([^"]+)"/g)].map(([, key = '']) => key);
      found = { problems, keys };
    });
    return found;
  };
  const at = 'demo/shop/edge: jwt.rules[0]';

  test.each([
    ['sub', '[sub]'],
    ['realm.roles', '[realm][roles]'],
    ['[kubernetes.io]', '[kubernetes.io]'],
    ['[kubernetes.io][namespace]', '[kubernetes.io][namespace]'],
    ['[https://shop.example/roles]', '[https://shop.example/roles]'],
  ])('%s', (claim, key) => {
    expect(withRule(claim)).toEqual({ problems: [], keys: [key] });
  });

  test.each([
    [
      'kubernetes.io',
      `${at}.claim: is a name that contains a dot, which would be read as a path into an object; received "kubernetes.io"; allowed ${path}; fix: write [kubernetes.io]`,
    ],
    [
      'kubernetes.io.namespace',
      `${at}.claim: is a name that contains a dot, which would be read as a path into an object; received "kubernetes.io.namespace"; allowed ${path}; fix: write [kubernetes.io][namespace]`,
    ],
    [
      'https://shop.example/roles',
      `${at}.claim: is not the name of a claim; received "https://shop.example/roles"; allowed ${path}; fix: write [https://shop.example/roles]`,
    ],
    ['[a', `${at}.claim: is not the name of a claim; received "[a"; allowed ${path}`],
    [
      'email_verified',
      `${at}.claim: is true or false by its specification, and Istio compares only strings and lists of strings: it would never match; ` +
        'received "email_verified"; fix: have the issuer put it into a string',
    ],
  ])('%s is refused', (claim, problem) => {
    expect(withRule(claim)?.problems).toEqual([problem]);
  });

  test.each([[[true]], [['a', 1]]])('values %j, which are no texts', (values) => {
    expect(withRule('admin', values)?.problems).toEqual([
      `${at}.values: Istio compares only strings: a claim that is a boolean or a number would never match; ` +
        `received ${JSON.stringify(values)}; allowed strings; fix: have the issuer put it into a string, and require that`,
    ]);
  });
});
