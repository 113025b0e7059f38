import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { formatProblem } from '../../../core/problem.ts';
import type { ServiceRoute } from '../scope/service-route.ts';
import { bySpecificity, isWithin, pathsOverlap, routeProblems, uriMatch } from './route-paths.ts';

const found = (path: unknown, verbs: readonly unknown[] = ['GET']) =>
  routeProblems('at', { verbs, path } as unknown as ServiceRoute).map(({ what }) => what);
const percent =
  'is percent-encoded: proxies compare what was sent, and a client may encode another way, or not at all';
const resolved = 'has what proxies take out of a path before they compare it (//, /./, /../, \\)';

test.each([
  '/',
  '/*',
  '/carts',
  '/carts/',
  '/carts/*',
  '/carts/{*}/items',
  '/{**}',
  '/v1/a.b~c-d_e',
  '/v1/x:act',
])('%s is a path of a route', (path) => {
  expect(found(path)).toEqual([]);
});

test.each([
  ['api', 'is not a path'],
  [undefined, 'is not a path'],
  ['/a?b=c', 'has a query or a fragment, which are no part of a path'],
  ['/a%2Fb', percent],
  ['/%2e%2e/b', percent],
  ['/a/..;/b', 'has a parameter (;), which some servers take for none of the path'],
  ['/a//b', resolved],
  ['/a/../b', resolved],
  ['/a/.', resolved],
  ['/a\\b', resolved],
  ['/a*', 'is not a path that policies can say'],
  ['/*/b', 'is not a path that policies can say'],
  ['/{*}/*', 'is not a path that policies can say'],
  ['/{**}/b', 'is not a path that policies can say'],
  ['/{id}', 'is not a path that policies can say'],
  ['/a b', 'is not a path that policies can say'],
])('%s is none', (path, what) => {
  expect(found(path)).toEqual([what]);
});

test('what is wrong is told whole, with what would be right', () => {
  const wrong = { verbs: ['get', 'GET', 'GET'], path: '/a/*/b' } as unknown as ServiceRoute;
  const verbs = 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS';
  expect(routeProblems('demo/shop/orders: calls[0]', wrong).map(formatProblem)).toEqual([
    `demo/shop/orders: calls[0]: is not a verb of HTTP; received "get"; allowed ${verbs}; fix: did you mean GET?`,
    'demo/shop/orders: calls[0]: names a verb twice; received "GET"; fix: remove one',
    'demo/shop/orders: calls[0]: is not a path that policies can say; received "/a/*/b"; allowed /api/items, /api/* for all below /api/, or ' +
      '/api/{*}/items, where {*} is one segment and a last {**} all that follow; of letters, digits and - . _ ~ ! $ & ( ) + , : @ =',
  ]);
  expect(found('/', [])).toEqual(['names no verb']);
});

/** Paths of a few words, so that some meet. */
const word = fc.constantFrom('a', 'b', 'c.d');
const anyPath = fc
  .record({
    parts: fc.array(fc.oneof(word, fc.constant('{*}')), { maxLength: 3 }),
    end: fc.constantFrom('', '/', '/*', '/{**}'),
  })
  .map(({ parts, end }) => {
    const plain = parts.map((part) => `/${part}`).join('');
    if (end === '/*' && plain.includes('{')) return `${plain}/{**}`;
    return `${plain}${end}` || '/';
  });
const anyRequest = fc
  .array(fc.oneof(word, fc.constant('x')), { maxLength: 4 })
  .chain((parts) => fc.constantFrom(`/${parts.join('/')}`, `/${[...parts, ''].join('/')}`))
  .map((path) => path.replace(/^\/\/+/, '/'));

/** Whether a route matches a path, as Envoy does. */
function takes(path: string, request: string): boolean {
  const match = uriMatch(path);
  if ('exact' in match) return request === match.exact;
  return 'prefix' in match
    ? request.startsWith(match.prefix)
    : new RegExp(`^(?:${match.regex})$`).test(request);
}

describe('of any two paths', () => {
  test('they overlap where a request is taken by both', () => {
    fc.assert(
      fc.property(anyPath, anyPath, anyRequest, (a, b, request) => {
        expect(pathsOverlap(a, b)).toBe(pathsOverlap(b, a));
        if (takes(a, request) && takes(b, request)) expect([a, b, pathsOverlap(a, b)]).toEqual([a, b, true]);
      }),
    );
  });

  test('what is within another is taken by it, and comes before it', () => {
    fc.assert(
      fc.property(anyPath, anyPath, anyRequest, (inner, outer, request) => {
        if (!isWithin(inner, outer)) return;
        expect(isWithin(outer, inner)).toBe(false);
        expect(bySpecificity(inner, outer)).toBeLessThan(0);
        if (takes(inner, request))
          expect([inner, outer, takes(outer, request)]).toEqual([inner, outer, true]);
      }),
    );
  });

  test('those within are named', () => {
    expect(isWithin('/v1/products/{*}', '/*')).toBe(true);
    expect(isWithin('/v1/{**}', '/v1/*')).toBe(false);
    expect(isWithin('/v1', '/v1/*')).toBe(false);
    expect(pathsOverlap('/v1', '/v1/*')).toBe(false);
    expect(isWithin('/v1/new', '/v1/{*}')).toBe(false);
    expect(pathsOverlap('/v1/new', '/v1/{*}')).toBe(true);
  });
});

test('a route takes what the policy does: templates by the characters that Envoy has for them', () => {
  const [one, rest] = ["[a-zA-Z0-9-._~%!$&'()*+,;:@=]+", "[a-zA-Z0-9-._~%!$&'()*+,;:@=/]*"];
  expect(uriMatch('/v1.0/{*}/items/{**}')).toEqual({ regex: String.raw`/v1\.0/${one}/items/${rest}` });
  expect(uriMatch('/*')).toEqual({ prefix: '/' });
  expect(uriMatch('/carts')).toEqual({ exact: '/carts' });
});
