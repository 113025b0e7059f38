import { describe, expect, test } from '@jest/globals';
import { synthesize } from '../../synth.ts';
import { anyEdge, get, jwt, ofGateways, withShop } from '../../testing/edge.ts';
import { expectGolden } from '../../testing/golden.ts';
import { libraryOf, type Rule } from '../../testing/library.ts';
import { objectsOf, problemsOf } from '../../testing/mesh.ts';
import type { RateLimit } from '../rate-limits/rate-limit.ts';
import type { Method } from '../scope/method.ts';
import { routeLimits } from './edge-limits.ts';
import { HttpEdge } from './http-edge.ts';

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

  test('count the handshakes of WebSocket that lead to a method', () => {
    withShop(({ mesh, shop, inventory }) => {
      new HttpEdge(shop, 'edge', {
        expose: [inventory],
        rateLimits: [{ method: inventory.method.syncStock, perSecond: 5, by: 'client' }],
      });
      const limits = JSON.stringify(ofGateways(mesh, 'EnvoyFilter', 'edge.shop'));
      const path = { name: ':path', string_match: { safe_regex: { regex: '/v1/stock:sync(\\?.*)?' } } };
      for (const exact of ['POST', 'GET']) {
        const request = [{ name: ':method', string_match: { exact } }, path];
        expect(limits).toContain(JSON.stringify(request));
      }
    });
  });

  test('count HEAD, which asks a service as GET does', () => {
    withShop(({ mesh, shop, catalog }) => {
      new HttpEdge(shop, 'edge', {
        expose: [catalog],
        rateLimits: [
          { method: catalog.method.getProduct, perSecond: 5, by: 'client' },
          { method: catalog.method.watchPrices, perSecond: 5, by: 'client' },
        ],
      });
      const limits = JSON.stringify(ofGateways(mesh, 'EnvoyFilter', 'edge.shop'));
      const request = (exact: string, regex: string) =>
        JSON.stringify([
          { name: ':method', string_match: { exact } },
          { name: ':path', string_match: { safe_regex: { regex } } },
        ]);
      const [product, prices] = ['/v1/products/[^/?]+(\\?.*)?', '/v1/prices:watch(\\?.*)?'];
      expect(limits).toContain(request('GET', product));
      expect(limits).toContain(request('HEAD', product));
      expect(limits).toContain(request('GET', prices));
      expect(limits).not.toContain(request('HEAD', prices));
    });
  });

  test('do not count a HEAD that another service of the edge answers by a pattern of its own', () => {
    const counted = (...rules: readonly Readonly<Record<string, Rule>>[]) => {
      const methods = rules.flatMap((each) =>
        libraryOf(each).methods.map((descriptor) => ({ descriptor }) as Method),
      );
      const [method] = methods;
      const rateLimits = [{ method, perSecond: 5, by: 'client' } as RateLimit<string>];
      const limits = JSON.stringify(routeLimits({}, 'edge.shop', { rateLimits, methods }, undefined));
      return [...limits.matchAll(/":method","string_match":\{"exact":"(\w+)"/g)].map(([, found]) => found);
    };
    const look: Rule = { pattern: { case: 'custom', value: { kind: 'HEAD', path: '/v1/books/{id}' } } };
    expect(counted({ Read: get('/v1/books/{id}') }, { Other: get('/v1/authors/{id}') })).toEqual([
      'GET',
      'HEAD',
    ]);
    expect(counted({ Read: get('/v1/books/{id}') }, { Look: look })).toEqual(['GET']);
  });

  test('problems', () => {
    withShop(({ mesh, shop, catalog, orders }) => {
      anyEdge(shop, {
        expose: [catalog],
        rateLimits: [
          { method: orders.method.getOrder, perSecond: 1, by: 'client' },
          { method: catalog.method.getProduct, perSecond: 0, by: 'all' },
          { perSecond: 10, burst: 0.5, by: 'method' },
          { perSecond: 10, by: 'client' },
          { perSecond: 20, by: 'client' },
        ],
      });
      expect(problemsOf(mesh)).toEqual([
        'demo/shop/edge: rateLimits[1].by: is not a way to count calls; received "all"; allowed client, method',
        'demo/shop/edge: rateLimits[1].perSecond: is not a rate; received 0; allowed a whole number from 1 to 1000000000',
        'demo/shop/edge: rateLimits[2].by: is not a way to count calls; received "method"; allowed client, all',
        'demo/shop/edge: rateLimits[2].burst: is not a burst size; received 0.5; allowed a whole number from 1 to 1000000000',
        'demo/shop/edge: rateLimits[4]: the same limit is declared already; received "all by client"; fix: remove one',
        'demo/shop/edge: rateLimits[0].method: the method is not exposed; received "test.orders.v1.OrdersService/GetOrder"; ' +
          'allowed test.catalog.v1.CatalogService/GetProduct, test.catalog.v1.CatalogService/ListProducts, ' +
          'test.catalog.v1.CatalogService/WatchPrices; fix: expose it, or remove it here',
      ]);
    });
  });
});
