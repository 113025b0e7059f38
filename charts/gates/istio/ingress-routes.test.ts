import { expect, test } from '@jest/globals';
import { said } from '../../testing/own-objects.ts';
import type { Own } from '../../testing/own-objects.ts';

const istio = (kind: string, name: string, spec: object): Own => ({
  apiVersion: 'networking.istio.io/v1',
  kind,
  name,
  body: { spec },
});
const service: Own = {
  apiVersion: 'v1',
  kind: 'Service',
  body: { spec: { ports: [{ name: 'http', port: 80 }] } },
};
const host = 'own.shop.svc.cluster.local';
const to = (subset: object) => [{ route: [{ destination: { host: 'own', ...subset } }] }];
const rule = istio('DestinationRule', 'own', {
  host: 'own',
  subsets: [{ name: 'v1', labels: { 'app.kubernetes.io/name': 'catalog' } }],
});
const gateway = istio('Gateway', 'web', {
  selector: { istio: 'ingressgateway' },
  servers: [{ port: { number: 80, name: 'http', protocol: 'HTTP' }, hosts: ['a.example'] }],
});
const web = (http: readonly object[]) =>
  istio('VirtualService', 'web', { hosts: ['a.example'], gateways: ['web'], http });

test('a gateway that leads past the shares of a service', () => {
  const shares = istio('VirtualService', 'own', { hosts: ['own'], http: to({ subset: 'v1' }) });
  expect(said(service, rule, shares, gateway, web(to({})))).toEqual([
    `demo/custom: VirtualService shop/web: spec.http.0.route.0 routes to all subsets of ${host}: the routes to its subsets in VirtualService shop/own of demo/custom apply only in sidecars; fix: route to the subsets here too, or add the gateway there`,
  ]);
  expect(said(service, rule, shares, gateway, web(to({ subset: 'v1' })))).toEqual([]);
});
