import { expect, test } from '@jest/globals';
import { said } from '../../testing/own-objects.ts';

test.each([
  [
    'admissionregistration.k8s.io/v1',
    'MutatingWebhookConfiguration',
    undefined,
    'istio-sidecar-injector-own',
  ],
  ['admissionregistration.k8s.io/v1', 'ValidatingWebhookConfiguration', undefined, 'istio-validator-own'],
  ['v1', 'ConfigMap', 'istio-system', 'istio'],
  ['rbac.authorization.k8s.io/v1', 'ClusterRole', undefined, 'istiod-clusterrole-istio-system'],
  ['apiextensions.k8s.io/v1', 'CustomResourceDefinition', undefined, 'sidecars.networking.istio.io'],
])('%s %s of the name that the installer gives', (apiVersion, kind, namespace, name) => {
  const title = `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`;
  const annotations = { 'meshwright/accept-own-cluster': 'its owners know' };
  expect(said({ apiVersion, kind, namespace, name, annotations, body: {} })).toEqual([
    `demo/custom: ${title} has the name of an object that Istio's installer creates; fix: rename it; the mesh installs Istio itself`,
  ]);
});

test('a control plane of one’s own', () => {
  const own = { namespace: 'istio-system', name: 'istio-own', body: { spec: {} } };
  expect(said({ apiVersion: 'install.istio.io/v1alpha1', kind: 'IstioOperator', ...own })).toEqual([
    'demo/custom: IstioOperator istio-system/istio-own would install another control plane, in addition to those of the mesh; fix: remove it; control planes are declared with `istio` of a cluster',
  ]);
});

const kinds = {
  MutatingWebhookConfiguration: 'admissionregistration.k8s.io/v1',
  ValidatingWebhookConfiguration: 'admissionregistration.k8s.io/v1',
  ConfigMap: 'v1',
  Deployment: 'apps/v1',
  Service: 'v1',
  ServiceAccount: 'v1',
  DaemonSet: 'apps/v1',
  ClusterRole: 'rbac.authorization.k8s.io/v1',
  ClusterRoleBinding: 'rbac.authorization.k8s.io/v1',
  CustomResourceDefinition: 'apiextensions.k8s.io/v1',
} as const;
type Kind = keyof typeof kinds;
/** What synth says of the name; what these objects lack besides is another gate's. */
const saidOf = (kind: Kind, namespace: string | undefined, name: string) =>
  said({ apiVersion: kinds[kind], kind, namespace, name, body: {} }).filter((problem) =>
    problem.includes("Istio's installer"),
  );
const roles = [
  'istiod-clusterrole-1-30',
  'istiod-gateway-controller-x',
  'istio-reader-clusterrole-x',
  'istio-cni',
];

test.each<[Kind, readonly string[]]>([
  ['ConfigMap', ['istio', 'istio-1-30', 'values', 'values-1-30']],
  ['Deployment', ['istiod', 'istiod-1-30']],
  ['Service', ['istiod', 'istiod-1-30']],
  ['ServiceAccount', ['istiod', 'istiod-1-30', 'istio-cni', 'istio-reader-service-account']],
  ['DaemonSet', ['istio-cni-node']],
])('every %s that the installer gives istio-system, and only there: %j', (kind, installed) => {
  for (const name of installed) {
    expect(saidOf(kind, 'istio-system', name)).toEqual([
      `demo/custom: ${kind} istio-system/${name} has the name of an object that Istio's installer creates; fix: rename it; the mesh installs Istio itself`,
    ]);
    for (const [namespace, other] of [
      ['shop', name],
      ['not-istio-system', name],
      ['istio-system', `own-${name}`],
    ] as const)
      expect(saidOf(kind, namespace, other)).toEqual([]);
  }
});

test.each<[Kind, readonly string[]]>([
  ['MutatingWebhookConfiguration', ['istio-sidecar-injector', 'istio-revision-tag-default']],
  ['ValidatingWebhookConfiguration', ['istio-validator-1-30', 'istiod-default-validator']],
  ['ClusterRole', roles],
  ['ClusterRoleBinding', roles],
  ['CustomResourceDefinition', ['wasmplugins.extensions.istio.io', 'telemetries.telemetry.istio.io']],
])('every %s that the installer makes of the whole cluster: %j', (kind, installed) => {
  for (const name of installed)
    expect(saidOf(kind, undefined, name)).toEqual([
      `demo/custom: ${kind} ${name} has the name of an object that Istio's installer creates; fix: rename it; the mesh installs Istio itself`,
    ]);
});

test.each<[Kind, string | undefined, string]>([
  ['ConfigMap', 'istio-system', 'istiox'],
  ['ConfigMap', 'istio-system', 'valuesx'],
  ['ConfigMap', 'istio-system', 'istio-'],
  ['Deployment', 'istio-system', 'istiodx'],
  ['ServiceAccount', 'istio-system', 'istio-cnix'],
  ['DaemonSet', 'istio-system', 'istio-cni-node-2'],
  ['MutatingWebhookConfiguration', undefined, 'own-istio-sidecar-injector'],
  ['ValidatingWebhookConfiguration', undefined, 'own-istio-validator'],
  ['ClusterRole', undefined, 'own-istiod-clusterrole'],
  ['ClusterRoleBinding', undefined, 'istiox-cni'],
  ['CustomResourceDefinition', undefined, 'owns.istio.io.example'],
  ['CustomResourceDefinition', undefined, 'owns.notistio.io'],
])('a %s of another name is free: %s/%s', (kind, namespace, name) => {
  expect(saidOf(kind, namespace, name)).toEqual([]);
});
