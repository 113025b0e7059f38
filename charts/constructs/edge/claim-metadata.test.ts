import { describe, expect, test } from '@jest/globals';
import { jwt, withShop } from '../../testing/edge.ts';
import { objectOf, problemsOf } from '../../testing/mesh.ts';
import { problemsWith, istio } from '../../testing/custom.ts';
import { catalogIn } from '../../testing/mesh.ts';
import { synthesize } from '../../synth.ts';
import { HttpEdge } from './http-edge.ts';

interface Container {
  readonly name: string;
  readonly env: readonly { readonly name: string; readonly value?: string }[];
}

describe("A2: a claim's metadata comes in by no other way", () => {
  test('other edges, before and after, and gateways beside services refuse what an edge vouches for', () => {
    withShop(({ mesh, shop, catalog, orders }) => {
      const { getProduct, listProducts } = catalog.method;
      new HttpEdge(shop, 'open', { expose: [getProduct], hosts: ['open.example'] });
      const claims = { sub: 'x-user', tenant: 'x-tenant' };
      new HttpEdge(shop, 'edge', { expose: [getProduct, orders], jwt: { ...jwt, claims } });
      new HttpEdge(shop, 'staff', {
        expose: [listProducts],
        hosts: ['staff.example'],
        jwt: { ...jwt, issuer: 'https://other.example', claims: { role: 'x-role' } },
      });
      expect(problemsOf(mesh)).toEqual([]);
      const rendered = synthesize(mesh);
      const variables = (deployment: string) => {
        const object = objectOf(rendered, 'east', 'Deployment', deployment);
        const { spec } = object as unknown as {
          spec: { template: { spec: { containers: readonly Container[] } } };
        };
        const found = spec.template.spec.containers.flatMap(({ name, env }) =>
          env.flatMap((one) =>
            ['CLAIM_HEADERS', 'REFUSED_METADATA'].includes(one.name) ? [[name, one.name, one.value]] : [],
          ),
        );
        return found;
      };
      expect(variables('open')).toEqual([['gateway', 'REFUSED_METADATA', 'x-role,x-tenant,x-user']]);
      expect(variables('edge')).toEqual([
        ['gateway', 'CLAIM_HEADERS', 'x-user,x-tenant'],
        ['gateway', 'REFUSED_METADATA', 'x-role'],
      ]);
      expect(variables('staff')).toEqual([
        ['gateway', 'CLAIM_HEADERS', 'x-role'],
        ['gateway', 'REFUSED_METADATA', 'x-tenant,x-user'],
      ]);
      expect(variables('catalog')).toEqual([['http-gateway', 'REFUSED_METADATA', 'x-role,x-tenant,x-user']]);
    });
  });

  const own = { selector: { app: 'own' }, servers: [server(80)] };
  function server(number: number) {
    return { port: { number, name: 'http', protocol: 'HTTP' }, hosts: ['own.example'] };
  }

  /** What synth says of a gateway of one's own, whose routes are these, beside an edge that passes a claim on. */
  const ownGateway = (routes: object, selector: object = own.selector) =>
    problemsWith(
      (into) => {
        into.addCustom(
          '50-workloads',
          { apiVersion: 'apps/v1', kind: 'Deployment' },
          { name: 'own', namespace: 'shop' },
          {
            spec: {
              selector: { matchLabels: { app: 'own' } },
              template: {
                metadata: { labels: { app: 'own', istio: 'own' } },
                spec: {
                  securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
                  containers: [
                    {
                      name: 'istio-proxy',
                      image: 'registry.example/proxy:1.30.1',
                      resources: { requests: { cpu: '1m', memory: '16Mi' }, limits: { memory: '16Mi' } },
                      securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
                    },
                  ],
                },
              },
            },
          },
        );
        istio(into, 'Gateway', 'own', { ...own, selector });
        istio(into, 'VirtualService', 'own', {
          hosts: ['own.example'],
          gateways: ['own'],
          exportTo: ['.', 'istio-ingress'],
          ...routes,
        });
      },
      (_, shop) => {
        const catalog = catalogIn(shop);
        new HttpEdge(shop, 'edge', { expose: [catalog], jwt: { ...jwt, claims: { sub: 'x-user' } } });
      },
    ).filter((line) => line.includes('x-user'));

  const route = [{ destination: { host: 'catalog', port: { number: 50051 } } }];
  const refused =
    'demo/custom: VirtualService shop/own lets clients of Gateway shop/own set the header x-user, which carries a claim ' +
    'that is set by RequestAuthentication istio-ingress/edge.shop; fix: remove it in every HTTP route (headers.request.remove), ' +
    "or have a RequestAuthentication of the gateway's pods set it";

  test('a gateway of one’s own that lets the header in is refused', () => {
    expect(ownGateway({ http: [{ route }] })).toEqual([refused]);
    const remove = { headers: { request: { remove: ['X-User'] } } };
    expect(ownGateway({ http: [{ route, ...remove }, { route }] })).toEqual([refused]);
    expect(ownGateway({ http: [{ route, ...remove }], tcp: [{ route }] })).toEqual([refused]);
  });

  test('one that takes it away, or the ingress gateways, whose authentication does, are not', () => {
    const remove = { headers: { request: { remove: ['x-user'] } } };
    expect(ownGateway({ http: [{ route, ...remove }] })).toEqual([]);
    expect(ownGateway({ http: [{ route }] }, { istio: 'ingressgateway' })).toEqual([]);
  });

  /** What synth says of an authentication of one's own, which writes a claim into a header. */
  const ownClaim = (namespace: string, matchLabels: Readonly<Record<string, string>>) =>
    problemsWith(
      (into) => {
        into.addIstio(
          '40-services',
          'demo/custom',
          'RequestAuthentication',
          {
            ...{ name: 'own', namespace },
            annotations: { 'meshwright/accept-declared-access': 'tokens of an old issuer' },
          },
          {
            selector: { matchLabels },
            jwtRules: [{ issuer: 'a', outputClaimToHeaders: [{ claim: 'sub', header: 'X-Own' }] }],
          },
        );
      },
      (_, shop) => catalogIn(shop),
    );

  test('a claim that a sidecar writes is no gateway’s: it takes away what a client sent', () => {
    expect(ownClaim('shop', { 'app.kubernetes.io/name': 'catalog' })).toEqual([]);
  });

  test('a claim that an authentication of one’s own writes is closed at no gateway app, so refused', () => {
    expect(ownClaim('istio-ingress', { istio: 'ingressgateway' })).toEqual([
      'demo/shop/catalog: Deployment shop/catalog: clients of container http-gateway may set x-own, which carries a claim ' +
        'that is set by RequestAuthentication istio-ingress/own; fix: pass the claim on with `jwt.claims` of an HttpEdge, which removes the header everywhere else',
    ]);
  });
});
