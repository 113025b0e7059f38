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
  expect(said({ apiVersion, kind, namespace, name, body: {} })).toEqual([
    `demo/custom: ${title} has the name of an object that Istio's installer creates; fix: rename it; the mesh installs Istio itself`,
  ]);
});

test('a control plane of one’s own', () => {
  const own = { namespace: 'istio-system', name: 'istio-own', body: { spec: {} } };
  expect(said({ apiVersion: 'install.istio.io/v1alpha1', kind: 'IstioOperator', ...own })).toEqual([
    'demo/custom: IstioOperator istio-system/istio-own would install another control plane, in addition to those of the mesh; fix: remove it; control planes are declared with `istio` of a cluster',
  ]);
});
