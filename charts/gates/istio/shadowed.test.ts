import { expect, test } from '@jest/globals';
import { ExternalService } from '../../constructs/access/external-service.ts';
import { Job } from '../../constructs/jobs/job.ts';
import { problemsWith } from '../../testing/custom.ts';
import { catalogIn } from '../../testing/mesh.ts';

/** What synth says of a DestinationRule in a namespace, beside a host outside that a caller in `goods` calls by TLS of its proxy. */
const saidOf = (namespace: string, host: string, spec: object = {}) =>
  problemsWith(
    (into) => {
      const type = { apiVersion: 'networking.istio.io/v1', kind: 'DestinationRule' };
      const body = {
        spec: { host, trafficPolicy: { connectionPool: { tcp: { maxConnections: 9 } } }, ...spec },
      };
      into.addCustom('60-traffic', type, { name: 'own', namespace }, body);
    },
    (mesh, shop) => {
      const goods = mesh.namespace('goods');
      mesh.namespace('other');
      const bank = new ExternalService(shop, 'bank', {
        host: 'bank.example',
        port: 7000,
        protocol: 'TCP',
        tls: {},
      });
      const job = new Job(goods, 'job', { image: 'registry.example/job:1.0.0', placement: ['east'] });
      job.callsExternal(bank);
      job.calls(catalogIn(shop).method.getProduct);
    },
  );
const told = (host: string, rule: string, of: string) => [
  `demo/custom: DestinationRule goods/own takes the place of DestinationRule shop/${rule} of demo/shop/${of} for callers in goods, as proxies look into their own namespace first; received "${host}"; fix: name single hosts that nothing else is about`,
];

test.each([
  ['*.example', 'bank'],
  ['*.shop.svc.cluster.local', 'catalog'],
])('a rule for %s in the namespace of callers takes the place of that of %s', (host, name) => {
  expect(saidOf('goods', host)).toEqual(told(host, name, name));
  expect(saidOf('goods', host, { exportTo: ['.'] })).toEqual(told(host, name, name));
});

test.each([
  // In the namespace of the nearer one, that is the one.
  ['shop', '*.example', {}],
  // Where nobody calls it, the other is not known.
  ['other', '*.example', {}],
  ['goods', '*.example', { exportTo: ['other'] }],
])('one in %s for %s with %j takes none', (namespace, host, spec) => {
  expect(saidOf(namespace, host, spec)).toEqual([]);
});
