import { expect, test } from '@jest/globals';
import { istio, problemsWith } from '../testing/custom.ts';
import { catalogIn, problemsOf } from '../testing/mesh.ts';
import { withProject } from '../testing/project.ts';
import { callingShop } from '../testing/shop.ts';
import { ExternalService } from '../constructs/access/external-service.ts';
import type { Namespace } from '../constructs/scope/mesh-construct.ts';
import { OwnObject } from '../constructs/scope/own-object.ts';

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

test('two hosts of one port over TCP are in the way of pods that are led to both, and of nobody else', () => {
  const claims = (more: (shop: Namespace<'east' | 'west'>) => void) =>
    withProject({}, (root) => {
      const { mesh, shop, inventory, orders } = callingShop(root);
      const [first, second] = ['a', 'b'].map((name) => {
        const props = { host: `${name}.example`, port: 5432, protocol: 'TCP', plaintext: true } as const;
        return new ExternalService(shop, `db-${name}`, props);
      });
      orders.callsExternal(first!);
      inventory.callsExternal(second!);
      more(shop);
      return problemsOf(mesh).filter((problem) => problem.includes('claims'));
    });
  expect(claims(() => undefined)).toEqual([]);
  // Pods without a Sidecar of their own know every host that their namespace knows.
  const own = claims((shop) => new OwnObject(shop, 'own', { object: podOf('own'), stage: '50-workloads' }));
  expect(own).toEqual([
    `demo/shop/db-b: ServiceEntry shop/db-b claims all calls to port 5432 outside the mesh (TCP), as does ServiceEntry shop/db-a of demo/shop/db-a; ${fix}`,
  ]);
});

const podOf = (name: string) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { labels: { own: name } },
  spec: { containers: [{ name, image: 'registry.example/own:1.0.0' }] },
});
