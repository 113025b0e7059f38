import { expect, test } from '@jest/globals';
import { istio, problemsWith } from '../testing/custom.ts';
import { catalogIn } from '../testing/mesh.ts';
import { covers } from './hosts.ts';

const allowed = 'allowed the host of a Service or ServiceEntry of the mesh';

test('a name in traffic policy that resolves in no cluster is refused, with the nearest one', () => {
  const found = problemsWith(
    (into) => {
      istio(into, 'DestinationRule', 'typo', { host: 'catalgo.shop.svc.cluster.local' });
      istio(into, 'VirtualService', 'routes', {
        hosts: ['nowhere'],
        http: [
          {
            route: [{ destination: { host: 'catalog', port: { number: 50051 } } }],
            mirror: { host: 'elsewhere.example' },
          },
        ],
      });
      istio(into, 'Gateway', 'inner', {
        selector: { istio: 'ingressgateway' },
        servers: [{ port: { number: 80, name: 'http', protocol: 'HTTP' }, hosts: ['*.shop.local'] }],
      });
      istio(into, 'Sidecar', 'egress', {
        egress: [{ hosts: ['shop/stock.shop.svc.cluster.local', 'goods/*'] }],
      });
    },
    (_, namespace) => catalogIn(namespace),
  );
  expect(found).toEqual([
    `demo/custom: DestinationRule shop/typo: spec.host resolves in no cluster; received "catalgo.shop.svc.cluster.local"; ${allowed}; fix: did you mean catalog.shop.svc.cluster.local?`,
    `demo/custom: VirtualService shop/routes: spec.http.0.mirror resolves in no cluster; received "elsewhere.example"; ${allowed}`,
    `demo/custom: VirtualService shop/routes: spec.hosts.0 resolves in no cluster; received "nowhere"; ${allowed}`,
    `demo/custom: Gateway shop/inner: spec.servers.0.hosts resolves in no cluster; received "*.shop.local"; ${allowed}`,
    `demo/custom: Sidecar shop/egress: spec.egress.0.hosts resolves in no cluster; received "stock.shop.svc.cluster.local"; ${allowed}`,
    'demo/custom: Sidecar shop/egress: spec.egress.0.hosts names a namespace that no cluster has; received "goods/*"',
  ]);
});

test('a host outside the mesh is known by its ServiceEntry, a wildcard included', () => {
  const found = problemsWith((into) => {
    const type = { apiVersion: 'networking.istio.io/v1', kind: 'ServiceEntry' };
    const ports = [{ number: 443, name: 'tls', protocol: 'TLS' }];
    into.addCustom(
      '40-services',
      type,
      { name: 'pay', namespace: 'shop' },
      {
        spec: { hosts: ['*.pay.example'], ports, resolution: 'NONE', location: 'MESH_EXTERNAL' },
      },
    );
    istio(into, 'DestinationRule', 'pay', { host: 'api.pay.example' });
  });
  expect(found).toEqual([]);
});

test.each([
  ['*', 'a.example', true],
  ['*.example', 'a.example', true],
  ['*.example', 'example', false],
  ['a.example', 'a.example', true],
  ['a.example', 'b.example', false],
])('%s covers %s: %s', (pattern, name, expected) => {
  expect(covers(pattern, name)).toBe(expected);
});
