import { describe, expect, test } from '@jest/globals';
import { anyEdge, isNotGrpc, jwt, ofGateways, withShop } from '../../testing/edge.ts';
import { synthesize } from '../../synth.ts';
import { objectOf, problemsOf } from '../../testing/mesh.ts';
import { corsPolicy } from './cors.ts';
import { HttpEdge } from './http-edge.ts';

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
          isNotGrpc,
          { key: 'request.headers[origin]', values: ['*'] },
          { key: 'request.headers[access-control-request-method]', values: ['*'] },
        ],
      });
    });
  });

  test('pages of the origins that are named may open WebSockets', () => {
    withShop(({ mesh, shop, catalog }) => {
      const origins = [
        'https://shop.example',
        '*',
        { regex: 'https://[a-z]+\\.example' },
        'http://other.example',
      ];
      new HttpEdge(shop, 'edge', { expose: [catalog], cors: { origins } });
      new HttpEdge(shop, 'plain', { expose: [catalog], hosts: ['plain.example'], cors: { origins: ['*'] } });
      const rendered = synthesize(mesh);
      const setting = (edge: string) =>
        /WEBSOCKET_ORIGINS","value":"([^"]*)/.exec(
          JSON.stringify(objectOf(rendered, 'east', 'Deployment', edge)),
        )?.[1];
      expect(setting('edge')).toBe('https://shop.example,http://other.example');
      expect(setting('plain')).toBeUndefined();
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
        'with credentials, any website could act on behalf of its visitors; received %; ' +
        'fix: name the origins, or leave credentials out';
      const allowed = "allowed '*', an origin such as https://shop.example, or { regex }";
      expect(problemsOf(mesh)).toEqual([
        `demo/shop/edge: cors.origins[0]: ${every.replace('%', '"*"')}`,
        `demo/shop/edge: cors.origins[1]: is not an origin; received "https://shop.example/"; ${allowed}`,
        `demo/shop/edge: cors.origins[2]: ${every.replace('%', '".*"')}`,
        `demo/shop/edge: cors.origins[3]: is not an origin; received 7; ${allowed}`,
        `demo/shop/edge: cors.origins[4]: ${every.replace('%', '"https?://.*"')}`,
        `demo/shop/edge: cors.origins[5]: ${every.replace('%', '"(?i)HTTPS://([a-z0-9-]+\\\\.)+[a-z]+"')}`,
        'demo/shop/edge: cors.origins[6]: is not an RE2 expression: it has a ( without a ); received "https://(?:shop"',
        'demo/shop/edge: cors.methods: is not a list of HTTP methods that Istio accepts; received ["get"]; ' +
          'allowed a list of GET, HEAD, POST, PUT, PATCH, DELETE, CONNECT, OPTIONS, TRACE, *',
        'demo/shop/edge: cors.headers: is not a list of HTTP header names; received ["a, b"]',
        'demo/shop/edge: cors.maxAgeSeconds: is not a number of seconds; received -1; allowed a whole number from 0 to 86400',
      ]);
    });
  });
});
