import { expect, test } from '@jest/globals';
import { CatalogService } from '../../../gen/test/catalog/v1/catalog_pb.js';
import { libraryOf, type Rule } from '../../testing/library.ts';
import type { Method } from '../scope/method.ts';
import { httpCallProblems } from '../access/call-rules.ts';
import { httpOperations, pathsToEvade, pathsWithoutOperation } from './http-paths.ts';

const get = (path: string): Rule => ({ pattern: { case: 'get', value: path } });

/** The operations of the method `Asked` of a library with these other rules. */
function operations(asked: Rule, others: Readonly<Record<string, Rule | undefined>> = {}) {
  const library = libraryOf({ Asked: asked, ...others });
  return httpOperations(library.method['asked']!, [library]);
}

test.each<[string, ...string[]]>([
  ['/v1/books', '/v1/books'],
  ['/v1/books/{id}', '/v1/books/{*}'],
  ['/v1/*/books', '/v1/{*}/books'],
  ['/v1/{name=shelves/*/books/*}/pages', '/v1/shelves/{*}/books/{*}/pages'],
  // Any number of segments: also none.
  ['/v1/{path=files/**}', '/v1/files', '/v1/files/{**}'],
  ['/v1/books:search', '/v1/books:search'],
])('%s is Istio %s', (template, ...paths) => {
  expect(operations(get(template))).toEqual([{ methods: ['GET', 'HEAD'], paths }]);
});

test('additional bindings and custom verbs are ways, too; kind * is every verb', () => {
  const asked: Rule = {
    pattern: { case: 'post', value: '/v1/books' },
    additionalBindings: [
      { pattern: { case: 'custom', value: { kind: 'REPORT', path: '/v1/books' } } },
      { pattern: { case: 'custom', value: { kind: '*', path: '/v1/all' } } },
    ],
  };
  expect(operations(asked)).toEqual([
    { methods: ['POST'], paths: ['/v1/books'] },
    { methods: ['REPORT'], paths: ['/v1/books'] },
    { paths: ['/v1/all'] },
  ]);
});

test('what has GET has HEAD, but for a stream and for what another pattern answers', () => {
  const custom = (kind: string, path: string): Rule => ({
    pattern: { case: 'custom', value: { kind, path } },
  });
  const methodsOf = (asked: Rule, other?: Rule, streams: readonly string[] = []) => {
    const library = libraryOf({ Asked: asked, ...(other === undefined ? {} : { Other: other }) }, streams);
    return httpOperations(library.method['asked']!, [library])[0]?.methods;
  };
  expect(methodsOf(get('/v1/books/{id}'))).toEqual(['GET', 'HEAD']);
  expect(methodsOf(get('/v1/books/{id}'), get('/v1/{name=**}'))).toEqual(['GET', 'HEAD']);
  expect(methodsOf(get('/v1/books/{id}'), custom('HEAD', '/v1/films'))).toEqual(['GET', 'HEAD']);
  expect(methodsOf(get('/v1/books:watch'), undefined, ['Asked'])).toEqual(['GET']);
  for (const kind of ['HEAD', '*']) {
    expect(methodsOf(get('/v1/books/{id}'), custom(kind, '/v1/books/{id}'))).toEqual(['GET']);
    expect(methodsOf(get('/v1/books/{id}'), custom(kind, '/v1/books/newest'))).toEqual(['GET']);
    expect(methodsOf(get('/v1/books/{id}'), custom(kind, '/v1/{name=**}'))).toEqual(['GET']);
  }
});

test.each<[string, string, string, readonly string[] | undefined]>([
  ['a literal in the place of the variable', '/v1/books/{id}', '/v1/books/newest', ['/v1/books/newest']],
  ['more of a path than **', '/v1/{rest=**}', '/v1/books/{id}', ['/v1/books/{*}']],
  ['a verb after the same variable', '/v1/books/{id}', '/v1/books/{id}:lend', ['*:lend']],
  ['a verb after a literal', '/v1/{id}', '/v1/books:search', ['/v1/books:search']],
  ['nothing: it is the more literal one', '/v1/books/newest', '/v1/books/{id}', undefined],
  ['nothing: its verb is its own', '/v1/books:search', '/v1/books/{id}:lend', undefined],
  ['nothing: it is longer', '/v1/books/{id}', '/v1/books/{id}/pages', undefined],
  ['nothing: it is shorter', '/v1/books/{id}/pages', '/v1/books/{id}', undefined],
  ['nothing: another literal comes first', '/v1/books/{id}', '/v1/films/newest', undefined],
])('another method takes %s', (_, asked, other, notPaths) => {
  expect(operations(get(asked), { Other: get(other) })[0]?.notPaths).toEqual(notPaths);
  // By another verb it takes nothing.
  expect(
    operations(get(asked), { Other: { pattern: { case: 'post', value: other } } })[0],
  ).not.toHaveProperty('notPaths');
});

test('a verb after a variable cannot be said, and a method without a rule has no way', () => {
  const library = libraryOf({ Lend: get('/v1/books/{id}:lend'), Plain: undefined });
  expect(pathsWithoutOperation(library.method['lend']!)).toEqual(['/v1/books/{id}:lend']);
  expect(httpOperations(library.method['lend']!, [library])).toEqual([]);
  expect(httpOperations(library.method['plain']!, [library])).toEqual([]);
});

test('calls over HTTP to a method with a verb after a variable are refused, and others are not', () => {
  const library = libraryOf({ Lend: get('/v1/books/{id}:lend'), Read: get('/v1/films/{id}') });
  const app = () => ({ config: { httpGateway: true } });
  const service = { mesh: { app }, app: 'apps/library', where: 'demo/shop/library', served: [library] };
  const methods = ['lend', 'read'].map((name) => ({
    service,
    descriptor: library.method[name]!,
    kind: 'unary',
  }));
  expect(httpCallProblems('demo/shop/orders', methods as unknown as Method[])).toEqual([
    {
      where: 'demo/shop/orders: callsHttp[0]',
      received: 'test.Library.Lend',
      what: 'the path /v1/books/{id}:lend has a verb after a variable, which no AuthorizationPolicy can match',
      fix: 'use calls',
    },
  ]);
});

test('paths of other methods that percent-encoding hides from an AuthorizationPolicy', () => {
  const library = libraryOf({
    Asked: get('/v1/books/{id}'),
    Me: get('/v1/books/@me'),
    Encoded: get('/v1/books/caf%C3%A9'),
    Verb: get('/v1/books/{id}:l!nd'),
    Plain: get('/v1/books/best-sellers_2.0~'),
    PlainVerb: get('/v1/books/{id}:lend'),
    Elsewhere: get('/v1/films/@me'),
  });
  const asked = library.method['asked']!;
  const evaded = ['/v1/books/@me', '/v1/books/caf%C3%A9', '/v1/books/{id}:l!nd'];
  expect(pathsToEvade(asked, [library])).toEqual(evaded);
  expect(pathsToEvade(library.method['me']!, [library])).toEqual([]);
  const app = () => ({ config: { httpGateway: true } });
  const service = { mesh: { app }, app: 'apps/library', where: 'demo/shop/library', served: [library] };
  const method = { service, descriptor: asked, kind: 'unary' } as unknown as Method;
  expect(httpCallProblems('demo/shop/orders', [method])).toEqual([
    {
      where: 'demo/shop/orders: callsHttp[0]',
      received: 'test.Library.Asked',
      what:
        `its paths also match ${evaded.join(', ')} of another method, and no AuthorizationPolicy can tell the two apart ` +
        'when a client percent-encodes the path',
      fix: 'use calls',
    },
  ]);
});

test('the sample: products by id, and nothing beside them', () => {
  const { getProduct, watchPrices } = CatalogService.method;
  expect(httpOperations(getProduct, [CatalogService])).toEqual([
    { methods: ['GET', 'HEAD'], paths: ['/v1/products/{*}'] },
  ]);
  expect(httpOperations(watchPrices, [CatalogService])).toEqual([
    { methods: ['GET'], paths: ['/v1/prices:watch'] },
  ]);
});
