import { describe, expect, test } from '@jest/globals';
import { anyEdge, isNotGrpc, ofGateways, withShop } from '../../testing/edge.ts';
import { problemsOf } from '../../testing/mesh.ts';
import { HttpEdge } from './http-edge.ts';

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
            when: [{ key: 'connection.sni', values: ['api.example'] }, isNotGrpc],
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
        {
          to: [{ operation: { ports: ['8443'], methods: ['GET', 'HEAD'], paths: ['/v1/products/{*}'] } }],
          when: [isNotGrpc],
        },
      ]);
    });
  });

  test('problems, which do not show what was given for the Secret', () => {
    withShop(({ mesh, shop, catalog }) => {
      anyEdge(shop, { expose: [catalog], tls: { secret: '-----BEGIN PRIVATE KEY-----', httpRedirect: 1 } });
      expect(problemsOf(mesh)).toEqual([
        'demo/shop/edge: tls.secret: is not the name of a Secret; allowed up to 253 of a-z, 0-9, hyphens and dots; ' +
          'fix: put the certificate and its key into a Secret of type kubernetes.io/tls in istio-ingress, and name it here',
        'demo/shop/edge: tls.httpRedirect: is not a boolean; received 1',
      ]);
    });
  });
});

test('D10: two edges of one certificate, whose connections browsers would share', () => {
  withShop(({ mesh, shop, catalog, orders }) => {
    new HttpEdge(shop, 'edge', { expose: [catalog], hosts: ['a.example'], tls: { secret: 'wildcard' } });
    new HttpEdge(shop, 'other', { expose: [orders], hosts: ['b.example'], tls: { secret: 'wildcard' } });
    new HttpEdge(shop, 'own', { expose: [orders], hosts: ['c.example'], tls: { secret: 'c-example' } });
    expect(problemsOf(mesh)).toEqual([
      'demo/shop/other: tls.secret: is also the certificate of demo/shop/edge: browsers reuse an HTTP/2 connection for all ' +
        'hosts of a certificate, and the gateways would answer 404 for those of the other edge; received "wildcard"; ' +
        'fix: give each edge a certificate for its own hosts only, or put the hosts into one edge',
    ]);
  });
});
