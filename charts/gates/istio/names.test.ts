import { expect, test } from '@jest/globals';
import { deployment, said, service } from '../../testing/own-objects.ts';
import type { Own } from '../../testing/own-objects.ts';

const orElse =
  "or, if the clusters' version of Istio accepts it, give the reason in the annotation meshwright/accept-istio-names";
const pods = (metadata: object) => deployment({}, {}, { labels: { app: 'own' }, ...metadata });
const own: Own = service({ selector: { app: 'own' }, ports: [{ name: 'http', port: 80 }] });

test.each<[string, readonly Own[], string]>([
  [
    'an annotation that Istio does not know',
    [deployment(), { ...own, annotations: { 'networking.istio.io/exportThree': '.' } }],
    'demo/custom: Service shop/own: Istio does not know this annotation; received "networking.istio.io/exportThree"; fix: did you mean networking.istio.io/exportTo?',
  ],
  [
    'a label that Istio does not know',
    [pods({ labels: { app: 'own', 'sidecar.istio.io/injct': 'false' } })],
    'demo/custom: Deployment shop/own: its pods: Istio does not know this label; received "sidecar.istio.io/injct"; fix: did you mean sidecar.istio.io/inject?',
  ],
  [
    'an annotation where Istio does not look',
    [{ ...deployment(), annotations: { 'proxy.istio.io/config': '{}' } }],
    'demo/custom: Deployment shop/own: the annotation proxy.istio.io/config has no effect on a Deployment; received "{}"; allowed on Pod; fix: move or remove it',
  ],
  [
    'an annotation that is deprecated',
    [pods({ annotations: { 'sidecar.istio.io/inject': 'true' } })],
    'demo/custom: Deployment shop/own: its pods: the annotation sidecar.istio.io/inject is deprecated; received "true"; fix: use the label of that name',
  ],
  [
    'a value that is no number',
    [pods({ annotations: { 'readiness.status.sidecar.istio.io/periodSeconds': '5s' } })],
    'demo/custom: Deployment shop/own: its pods: the annotation readiness.status.sidecar.istio.io/periodSeconds has an invalid value, so Istio refuses the pods; received "5s"; allowed a whole number, 0 or more; fix: correct it',
  ],
  [
    'a value that is no port',
    [pods({ annotations: { 'status.sidecar.istio.io/port': '65536' } })],
    'demo/custom: Deployment shop/own: its pods: the annotation status.sidecar.istio.io/port has an invalid value, so Istio refuses the pods; received "65536"; allowed a port, 1 to 65535; fix: correct it',
  ],
  [
    'a value that is neither true nor false',
    [pods({ annotations: { 'prometheus.istio.io/merge-metrics': 'no' } })],
    'demo/custom: Deployment shop/own: its pods: the annotation prometheus.istio.io/merge-metrics has an invalid value, so Istio refuses the pods; received "no"; allowed true or false; fix: correct it',
  ],
  [
    'a value that is no quantity',
    [pods({ annotations: { 'sidecar.istio.io/proxyMemory': '128MB' } })],
    'demo/custom: Deployment shop/own: its pods: the annotation sidecar.istio.io/proxyMemory has an invalid value, so Istio refuses the pods; received "128MB"; allowed a quantity such as 100m or 128Mi; fix: correct it',
  ],
])('%s is refused', (_, objects, message) => {
  expect(said(...objects)).toEqual([`${message}; ${orElse}`]);
});

test('a reason in writing makes an exception', () => {
  const annotations = { 'own.istio.io/new': 'yes', 'meshwright/accept-istio-names': 'Istio 1.40 knows it' };
  expect(said(deployment(), { ...own, annotations })).toEqual([]);
});

test.each(['', ' '])('a reason of nothing, %j, makes none', (reason) => {
  const annotations = { 'own.istio.io/new': 'yes', 'meshwright/accept-istio-names': reason };
  expect(said(deployment(), { ...own, annotations })).toEqual([
    `demo/custom: Service shop/own: Istio does not know this annotation; received "own.istio.io/new"; fix: remove it; ${orElse}`,
  ]);
});

/** An annotation of each kind of value, and what the value has to be. */
const valued = {
  number: ['readiness.status.sidecar.istio.io/periodSeconds', 'a whole number, 0 or more'],
  port: ['status.sidecar.istio.io/port', 'a port, 1 to 65535'],
  'yes or no': ['prometheus.istio.io/merge-metrics', 'true or false'],
  quantity: ['sidecar.istio.io/proxyMemory', 'a quantity such as 100m or 128Mi'],
} as const;
type Kind = keyof typeof valued;
const podSpec = (pods({}).body as { readonly spec: { readonly template: { readonly spec: object } } }).spec
  .template.spec;
const podWith =
  (name: string) =>
  (value: string, index: number): Own => ({
    apiVersion: 'v1',
    kind: 'Pod',
    name: `own-${100 + index}`,
    annotations: { [name]: value },
    body: { spec: podSpec },
  });

test.each<[Kind, readonly string[]]>([
  ['number', ['0', '5', '1234567890']],
  ['port', ['1', '9', '10', '9999', '10000', '59999', '64999', '65499', '65529', '65535']],
  ['yes or no', ['1', 't', 'T', 'TRUE', 'true', 'True', '0', 'f', 'F', 'FALSE', 'false', 'False']],
  ['quantity', ['1', '+1', '-1', '12.', '1.5', '12.25', '.5', '.25']],
  ['quantity', ['K', 'M', 'G', 'T', 'P', 'E'].map((unit) => `1${unit}i`)],
  ['quantity', ['n', 'u', 'm', 'k', 'M', 'G', 'T', 'P', 'E'].map((unit) => `1${unit}`)],
  ['quantity', ['1e3', '1E3', '1e+3', '1e-3', '1E12', '1.5e10']],
])('every way to write a %s is allowed: %j', (kind, values) => {
  expect(said(...values.map(podWith(valued[kind][0])))).toEqual([]);
});

test.each<[Kind, readonly string[]]>([
  ['number', ['', '-1', '1.5', '5s', 's5', '12345678901']],
  ['port', ['', '0', '00000', '65536', '65540', '65600', '66000', '70000', '100000', '-1', '80a', 'a80']],
  ['yes or no', ['', 'no', 'yes', 'tRUE', 'true1', '1true', '01']],
  ['quantity', ['', '.', '+', 'm', 'x1', '1x', '1 Gi', '1Ki1', '1mi', '1ni', '1KI', '1K', '1.5.2', '--1']],
  ['quantity', ['1e', '1e+', '1em', 'e3', '1e3Gi', '1e1.5']],
])('what is no %s is refused: %j', (kind, values) => {
  const [name, allowed] = valued[kind];
  expect(said(...values.map(podWith(name)))).toEqual(
    values.map(
      (value, index) =>
        `demo/custom: Pod shop/own-${100 + index}: the annotation ${name} has an invalid value, so Istio refuses the pods; received "${value}"; allowed ${allowed}; fix: correct it; ${orElse}`,
    ),
  );
});

test.each([
  { annotations: { 'readiness.status.sidecar.istio.io/periodSeconds': '0' } },
  { annotations: { 'status.sidecar.istio.io/port': '15021' } },
  { annotations: { 'prometheus.istio.io/merge-metrics': 'false' } },
  { annotations: { 'sidecar.istio.io/proxyCPU': '0.5', 'sidecar.istio.io/proxyMemory': '1.5Gi' } },
  { annotations: { 'prometheus.istio.io/scrape-targets': '9464:/metrics' } },
  { annotations: { 'own.notistio.io/inject': 'x' } },
])('%j is allowed', (metadata) => {
  expect(said(pods(metadata))).toEqual([]);
});
