import { describe, expect, test } from '@jest/globals';
import { CatalogService } from '../../../gen/test/catalog/v1/catalog_pb.js';
import { isNotGrpc } from '../../testing/edge.ts';
import { libraryOf, type Rule } from '../../testing/library.ts';
import type { Method } from '../scope/method.ts';
import { edgePolicy, overlapProblems, preflightProblems } from './edge-access.ts';
import type { Jwt } from './jwt.ts';

const { getProduct, listProducts } = CatalogService.method;
const exposed = (descriptor: Method['descriptor']) => ({ descriptor }) as Method;

test('methods of one path may not ask for different things', () => {
  // The same method of two services is the plainest case of one path.
  const methods = [exposed(listProducts), exposed(getProduct), exposed(getProduct)];
  const asks = (method: Method) => String(methods.indexOf(method));
  expect(overlapProblems('demo/shop/edge', methods, asks)).toEqual([
    {
      where: 'demo/shop/edge',
      what:
        'the gateways cannot tell test.catalog.v1.CatalogService/GetProduct (GET /v1/products/{id}) ' +
        'from test.catalog.v1.CatalogService/GetProduct (GET /v1/products/{id}) by path, ' +
        'yet their tokens or limits differ',
      fix: 'give both the same tokens and limits, change the path of one, or expose it at an edge of its own',
    },
  ]);
  expect(overlapProblems('demo/shop/edge', methods, () => 'the same')).toEqual([]);
});

describe('a method that streams', () => {
  const post = (value: string): Rule => ({ pattern: { case: 'post', value } });
  const at = (service: ReturnType<typeof libraryOf>) => service.methods.map(exposed);
  const access = {
    pods: { istio: 'ingressgateway' },
    port: 8080,
    hosts: {},
    jwt: undefined,
    preflights: false,
  };

  test('is let in by a handshake of WebSocket too, and one that does not stream is not', () => {
    const library = libraryOf({ Talk: post('/v1/talk'), Tell: post('/v1/tell') }, ['Talk']);
    const operation = { ports: ['8080'] };
    expect(edgePolicy({ ...access, methods: at(library) }).rules).toEqual([
      {
        to: [
          { operation: { ...operation, methods: ['GET'], paths: ['/v1/talk'] } },
          { operation: { ...operation, methods: ['POST'], paths: ['/v1/talk', '/v1/tell'] } },
        ],
        when: [isNotGrpc],
      },
    ]);
  });

  test('may not ask for less than what is read by GET on its path', () => {
    const rules = {
      Read: { pattern: { case: 'get', value: '/v1/{name=**}' } } as const,
      Talk: post('/v1/talk'),
    };
    const asks = ({ descriptor }: Method) => descriptor.name;
    expect(overlapProblems('demo/shop/edge', at(libraryOf(rules, ['Talk'])), asks)).toEqual([
      {
        where: 'demo/shop/edge',
        what:
          'the gateways cannot tell test.Library/Talk (the WebSocket of POST /v1/talk) ' +
          'from test.Library/Read (GET /v1/{name=**}) by path, yet their tokens or limits differ',
        fix: 'give both the same tokens and limits, change the path of one, or expose it at an edge of its own',
      },
    ]);
    expect(overlapProblems('demo/shop/edge', at(libraryOf(rules)), asks)).toEqual([]);
  });
});

test('HEAD is let in where GET is, and the rule of a method that takes HEAD itself holds for it alone', () => {
  const head: Rule = { pattern: { case: 'custom', value: { kind: 'HEAD', path: '/v1/books/{id}' } } };
  const read: Rule = { pattern: { case: 'get', value: '/v1/books/{id}' } };
  const access = {
    pods: { istio: 'ingressgateway' },
    port: 8080,
    hosts: {},
    jwt: undefined,
    preflights: false,
  };
  const operations = (service: ReturnType<typeof libraryOf>, only: number) => {
    const { rules = [] } = edgePolicy({ ...access, methods: service.methods.map(exposed).slice(0, only) });
    return rules.flatMap(({ to = [] }) => to.map(({ operation }) => operation?.methods));
  };
  expect(operations(libraryOf({ Read: read }), 1)).toEqual([['GET', 'HEAD']]);
  // Also where it is not exposed: the edge's gateway has the whole service.
  expect(operations(libraryOf({ Read: read, Look: head }), 1)).toEqual([['GET']]);
  expect(operations(libraryOf({ Read: read, Look: head }), 2)).toEqual([['GET', 'HEAD']]);
});

test('what has no path is in no rule: one that names no operation would be about every request', () => {
  const broken = libraryOf({ Broken: { pattern: { case: 'get', value: 'v1/a' } } }).methods.map(exposed);
  const access = {
    pods: { istio: 'ingressgateway' },
    port: 8080,
    hosts: {},
    jwt: undefined,
    preflights: true,
  };
  expect(edgePolicy({ ...access, methods: broken })).toMatchObject({ action: 'ALLOW', rules: [] });
  const { rules } = edgePolicy({ ...access, preflights: false, methods: [...broken, exposed(getProduct)] });
  expect(rules).toEqual([
    {
      to: [{ operation: { ports: ['8080'], methods: ['GET', 'HEAD'], paths: ['/v1/products/{*}'] } }],
      when: [isNotGrpc],
    },
  ]);
});

describe('methods that take OPTIONS', () => {
  const kind = (name: string, path: string): Rule => ({
    pattern: { case: 'custom', value: { kind: name, path } },
  });
  const library = libraryOf({
    Any: kind('*', '/v1/any'),
    Ask: kind('OPTIONS', '/v1/ask'),
    Get: { pattern: { case: 'get', value: '/v1/any' } },
  });
  const methods = library.methods.map(exposed);
  const jwt: Jwt<string> = {
    issuer: 'https://id.example',
    audiences: ['shop'],
    jwksUri: 'https://id.example',
  };

  test('are not let in with the preflight requests of cors', () => {
    const fix = 'bind it to other HTTP methods, or expose it at an edge without cors';
    const because = 'and preflight requests are let in without a token';
    const where = 'demo/shop/edge: cors';
    expect(preflightProblems('demo/shop/edge', methods, { cors: true, jwt })).toEqual([
      { where, what: `test.Library/Any takes OPTIONS (* /v1/any), ${because}`, fix },
      { where, what: `test.Library/Ask takes OPTIONS (OPTIONS /v1/ask), ${because}`, fix },
    ]);
  });

  test('need a token where claims go on as metadata', () => {
    const claims = { ...jwt, claims: { sub: 'x-user' } };
    const except = methods.slice(0, 1);
    expect(preflightProblems('demo/shop/edge', methods, { cors: false, jwt: { ...claims, except } })).toEqual(
      [
        {
          where: 'demo/shop/edge: jwt.claims',
          what:
            'test.Library/Any takes OPTIONS (* /v1/any), ' +
            'and the gateways do not remove claim metadata from preflight requests',
          fix: 'bind it to other HTTP methods, or remove it from except',
        },
      ],
    );
    for (const sound of [undefined, jwt, claims, { ...jwt, except }]) {
      expect(preflightProblems('demo/shop/edge', methods, { cors: false, jwt: sound })).toEqual([]);
    }
  });
});
