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
