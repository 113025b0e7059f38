import { expect, test } from '@jest/globals';
import { deployment, said } from '../../testing/own-objects.ts';
import type { Own } from '../../testing/own-objects.ts';

const namespace = (labels: Readonly<Record<string, string>>): Own => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  name: 'other',
  namespace: undefined,
  body: {},
  labels,
});
const inOther = (labels: object = {}): Own => ({
  ...deployment({}, {}, { labels: { app: 'own', ...labels } }),
  namespace: 'other',
});
const fix =
  'declare the namespace with mesh.namespace, or give the pods the label sidecar.istio.io/inject: "true" if the namespace has no injection label; or, if it has to be so, give the reason in its annotation meshwright/accept-behind-proxy';
const none = 'demo/custom: Deployment other/own: its pods get no proxy, because';

test.each<[string, readonly Own[], readonly string[]]>([
  [
    'pods for which nobody asked for a proxy',
    [namespace({}), inOther()],
    [`${none} neither they nor their namespace have an injection label; fix: ${fix}`],
  ],
  [
    'pods of a namespace that wants none, though they do',
    [namespace({ 'istio-injection': 'disabled' }), inOther({ 'sidecar.istio.io/inject': 'true' })],
    [`${none} their namespace has the label istio-injection: disabled; fix: ${fix}`],
  ],
  [
    'a namespace of two minds',
    [namespace({ 'istio-injection': 'enabled', 'istio.io/rev': '1-30' })],
    [
      'demo/custom: Namespace other has two injection labels, and Istio uses only istio-injection; received {"istio-injection":"enabled","istio.io/rev":"1-30"}; fix: keep one of them',
    ],
  ],
  [
    'a namespace of the ambient data plane',
    [namespace({ 'istio.io/dataplane-mode': 'ambient' })],
    [
      'demo/custom: Namespace other: the label istio.io/dataplane-mode selects the ambient data plane, which the mesh does not have; received "ambient"; fix: remove it: pods of the mesh have sidecars',
    ],
  ],
  [
    'pods of the ambient data plane',
    [deployment({}, {}, { labels: { app: 'own', 'istio.io/dataplane-mode': 'ambient' } })],
    [
      'demo/custom: Deployment shop/own: its pods: the label istio.io/dataplane-mode selects the ambient data plane, which the mesh does not have; received "ambient"; fix: remove it: pods of the mesh have sidecars',
    ],
  ],
])('%s: refused', (_, objects, expected) => {
  expect(said(...objects)).toEqual(expected);
});

test.each<[string, readonly Own[]]>([
  ['by a label of their namespace', [namespace({ 'istio-injection': 'enabled' }), inOther()]],
  ['by the revision of their namespace', [namespace({ 'istio.io/rev': '1-30' }), inOther()]],
  ['by a label of their own', [namespace({}), inOther({ 'sidecar.istio.io/inject': 'true' })]],
  [
    'as the reason says, by nobody',
    [namespace({}), { ...inOther(), annotations: { 'meshwright/accept-behind-proxy': 'a node agent' } }],
  ],
])('pods get their proxies %s', (_, objects) => {
  expect(said(...objects)).toEqual([]);
});

/** Pods with labels, by an object of each kind that makes them. */
type Maker = (labels: object) => object;
const templateOf = (labels: object) => {
  const { body } = deployment({}, {}, { labels: { app: 'own', ...labels } });
  return (body as { readonly spec: { readonly template: { readonly spec: object } } }).spec.template;
};
const ending = (labels: object) => {
  const template = templateOf(labels);
  return { ...template, spec: { ...template.spec, restartPolicy: 'Never' } };
};
const selector = { matchLabels: { app: 'own' } };
test.each<[kind: string, apiVersion: string, maker: Maker]>([
  ['Pod', 'v1', (labels) => ({ spec: templateOf(labels).spec })],
  ['Deployment', 'apps/v1', (labels) => ({ spec: { selector, template: templateOf(labels) } })],
  [
    'StatefulSet',
    'apps/v1',
    (labels) => ({ spec: { selector, serviceName: 'own', template: templateOf(labels) } }),
  ],
  ['DaemonSet', 'apps/v1', (labels) => ({ spec: { selector, template: templateOf(labels) } })],
  ['Job', 'batch/v1', (labels) => ({ spec: { template: ending(labels) } })],
  [
    'CronJob',
    'batch/v1',
    (labels) => ({ spec: { schedule: '@daily', jobTemplate: { spec: { template: ending(labels) } } } }),
  ],
])('the labels of the pods that a %s makes are read where it has them', (kind, apiVersion, bodyWith) => {
  const own = (labels: Readonly<Record<string, string>>): Own => ({
    ...{ apiVersion, kind, namespace: 'other', body: bodyWith(labels) },
    labels: kind === 'Pod' ? labels : {},
  });
  const refused = `${none} neither they nor their namespace have an injection label; fix: ${fix}`;
  expect(said(namespace({}), own({}))).toEqual([refused.replace('Deployment', kind)]);
  expect(said(namespace({}), own({ 'sidecar.istio.io/inject': 'true' }))).toEqual([]);
  expect(said(namespace({ 'istio-injection': 'enabled' }), own({}))).toEqual([]);
});

const ways = { 'istio.io/rev': '1-30' };
test.each<[string, readonly Own[], readonly string[]]>([
  ['a revision of their own, in a namespace without a label', [namespace({}), inOther(ways)], []],
  [
    'a revision of their own, in a namespace that wants none',
    [namespace({ 'istio-injection': 'disabled' }), inOther(ways)],
    [`${none} their namespace has the label istio-injection: disabled; fix: ${fix}`],
  ],
  [
    'a label that is neither true nor false',
    [namespace({}), inOther({ 'sidecar.istio.io/inject': 'yes' })],
    [`${none} neither they nor their namespace have an injection label; fix: ${fix}`],
  ],
  [
    'a namespace that wants none, whatever its revision',
    [namespace({ 'istio-injection': 'disabled', ...ways })],
    [],
  ],
  ['no data plane that is ambient', [namespace({ 'istio.io/dataplane-mode': 'none' })], []],
  [
    'a namespace that somebody else makes, who decides',
    [{ ...inOther(), annotations: { 'meshwright/accept-undeclared-namespace': 'a platform makes it' } }],
    [],
  ],
  [
    'a reason of nothing',
    [namespace({}), { ...inOther(), annotations: { 'meshwright/accept-behind-proxy': ' ' } }],
    [`${none} neither they nor their namespace have an injection label; fix: ${fix}`],
  ],
])('pods with %s', (_, objects, expected) => {
  expect(said(...objects)).toEqual(expected);
});
