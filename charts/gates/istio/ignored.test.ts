import { expect, test } from '@jest/globals';
import { said } from '../../testing/own-objects.ts';
import type { Own } from '../../testing/own-objects.ts';

const istio = (group: string, kind: string, spec: object, namespace = 'shop'): Own => ({
  apiVersion: `${group}.istio.io/v1`,
  kind,
  namespace,
  body: { spec },
});
const telemetry = (spec: object, namespace?: string) => istio('telemetry', 'Telemetry', spec, namespace);

test('the percent of a delay', () => {
  const route = [{ destination: { host: 'catalog', port: { number: 50051 } } }];
  const http = [{ fault: { delay: { percent: 5, fixedDelay: '1s' } }, route }];
  const found = said(istio('networking', 'VirtualService', { hosts: ['catalog'], http }));
  expect(found.filter((problem) => !/claims|accept-own-identity/.test(problem))).toEqual([
    'demo/custom: VirtualService shop/own: spec.http.0.fault.delay.percent is deprecated; received 5; fix: use percentage: { value: NUMBER }',
  ]);
});

test('the proxy for what leaves', () => {
  const egressProxy = { host: 'catalog.shop.svc.cluster.local', port: { number: 50051 } };
  const spec = { egress: [{ hosts: ['~/*'] }], outboundTrafficPolicy: { egressProxy } };
  expect(said(istio('networking', 'Sidecar', spec))).toEqual([
    'demo/custom: Sidecar shop/own: spec.outboundTrafficPolicy.egressProxy is ignored by Istio; received {"host":"catalog.shop.svc.cluster.local","port":{"number":50051}}; fix: remove it',
  ]);
});

test('telemetry for a provider that the mesh does not have, or for none', () => {
  expect(said(telemetry({ tracing: [{ providers: [{ name: 'zipkin' }] }] }))).toEqual([
    'demo/custom: Telemetry shop/own: spec.tracing[0].providers[0] is not a provider of the mesh; received "zipkin"; allowed prometheus, stackdriver, envoy',
  ]);
  const wide = said(telemetry({ accessLogging: [{ filter: { expression: 'true' } }] }, 'istio-system'));
  expect(wide.filter((problem) => !problem.includes('Istio uses only one'))).toEqual([
    'demo/custom: Telemetry istio-system/own: spec.accessLogging[0] has no effect: it names no provider, and the mesh has no default provider; allowed prometheus, stackdriver, envoy; fix: name one in providers',
  ]);
  // A narrower one has the mesh's.
  expect(said(telemetry({ accessLogging: [{ filter: { expression: 'true' } }] }))).toEqual([]);
});

const mesh = ({ tracing, accessLogging, metrics }: Readonly<Record<string, object>>) =>
  said(telemetry({ tracing, accessLogging, metrics }, 'istio-system')).filter(
    (problem) => !problem.includes('Istio uses only one'),
  );

test.each(['accessLogging', 'tracing'])('%s of the whole mesh for no provider has no effect', (kind) => {
  expect(mesh({ [kind]: [{}] })).toEqual([
    `demo/custom: Telemetry istio-system/own: spec.${kind}[0] has no effect: it names no provider, and the mesh has no default provider; allowed prometheus, stackdriver, envoy; fix: name one in providers`,
  ]);
});

test.each<[string, Readonly<Record<string, object>>]>([
  ['metrics, which every mesh has a provider of', { metrics: [{}] }],
  ['access logs that are switched off', { accessLogging: [{ disabled: true }] }],
  ['traces that are switched off', { tracing: [{ disableSpanReporting: true }] }],
  ['access logs with a provider', { accessLogging: [{ providers: [{ name: 'envoy' }] }] }],
  ['traces with a provider', { tracing: [{ providers: [{ name: 'stackdriver' }] }] }],
  ['metrics with a provider', { metrics: [{ providers: [{ name: 'prometheus' }] }] }],
])('of the whole mesh, %s are allowed', (_, spec) => {
  expect(mesh(spec)).toEqual([]);
});

test.each(['accessLogging', 'tracing', 'metrics'])(
  '%s for a provider that the mesh does not have, with the nearest that it has',
  (kind) => {
    const providers = [{ name: 'prometheus' }, { name: 'prometeus' }];
    expect(said(telemetry({ [kind]: [{}, { providers }] }))).toEqual([
      `demo/custom: Telemetry shop/own: spec.${kind}[1].providers[1] is not a provider of the mesh; received "prometeus"; allowed prometheus, stackdriver, envoy; fix: did you mean prometheus?`,
    ]);
  },
);
