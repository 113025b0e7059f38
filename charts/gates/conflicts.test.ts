import { expect, test } from '@jest/globals';
import { istio, problemsWith } from '../testing/custom.ts';
import { catalogIn } from '../testing/mesh.ts';

const host = 'catalog.shop.svc.cluster.local';
const fix = 'fix: keep one of them';

test('two objects that rule the same thing are refused, by whatever name they call it', () => {
  const http = [{ route: [{ destination: { host } }] }];
  const servers = [{ port: { number: 80, name: 'http', protocol: 'HTTP' }, hosts: ['a.example'] }];
  const selector = { istio: 'ingressgateway' };
  const found = problemsWith(
    (into) => {
      istio(into, 'VirtualService', 'a', { hosts: [host], http });
      istio(into, 'VirtualService', 'b', { hosts: ['catalog'], gateways: ['mesh'], http });
      istio(into, 'DestinationRule', 'second', { host: 'catalog' });
      istio(into, 'Gateway', 'one', { selector, servers });
      istio(into, 'Gateway', 'two', {
        selector,
        servers: [...servers, ...servers.map((server) => ({ ...server, hosts: ['b.example'] }))],
      });
      for (const name of ['c', 'd']) {
        istio(into, 'VirtualService', name, {
          hosts: ['b.example'],
          gateways: ['shop/two'],
          http,
          exportTo: ['*'],
        });
      }
    },
    (_, namespace) => catalogIn(namespace),
  ).filter((problem) => problem.includes('claims'));
  expect(found).toEqual([
    `demo/custom: VirtualService shop/b claims host ${host} in sidecars, as does VirtualService shop/a of demo/custom; ${fix}`,
    `demo/shop/catalog: VirtualService shop/catalog claims host ${host} in sidecars, as does VirtualService shop/a of demo/custom; ${fix}`,
    `demo/custom: VirtualService shop/d claims host b.example on Gateway shop/two, as does VirtualService shop/c of demo/custom; ${fix}`,
    `demo/shop/catalog: DestinationRule shop/catalog claims traffic to host ${host}, as does DestinationRule shop/second of demo/custom; ${fix}`,
    `demo/custom: Gateway shop/two claims host a.example on port 80 of the gateways with labels istio=ingressgateway, as does Gateway shop/one of demo/custom; ${fix}`,
  ]);
});

test('two objects that no proxy is given both of do not conflict, and do where one is', () => {
  const entries = (second: readonly string[]) =>
    problemsWith((into) => {
      for (const [namespace, exportTo] of [
        ['shop', ['.']],
        ['istio-ingress', second],
      ] as const) {
        const spec = {
          hosts: [`db.${namespace}.example`],
          location: 'MESH_EXTERNAL' as const,
          resolution: 'DNS' as const,
          ports: [{ number: 5432, name: 'tcp-db', protocol: 'TCP' }],
          exportTo: [...exportTo],
        };
        into.addIstio('40-services', 'demo/custom', 'ServiceEntry', { name: 'db', namespace }, spec);
      }
    }).filter((problem) => problem.includes('claims'));
  expect(entries(['.'])).toEqual([]);
  const conflict =
    'demo/custom: ServiceEntry shop/db claims all calls to port 5432 outside the mesh (TCP), ' +
    `as does ServiceEntry istio-ingress/db of demo/custom; ${fix}`;
  expect(entries(['.', 'shop'])).toEqual([conflict]);
  expect(entries(['*'])).toEqual([conflict]);
});

test('a DestinationRule for some callers only conflicts with none for the others', () => {
  const found = problemsWith(
    (into) => {
      istio(into, 'DestinationRule', 'second', { host, workloadSelector: { matchLabels: { app: 'x' } } });
    },
    (_, namespace) => catalogIn(namespace),
  );
  expect(found).toEqual([]);
});
