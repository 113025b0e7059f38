import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { KubeObject } from './kube-object.ts';
import { labelManaged } from './kube-object.ts';
import { removalOrder, removeMesh } from './remove.ts';
import { KubeApi } from './testing/kube-api.ts';
import { modelOf } from './testing/models.ts';
import { problemOf } from './testing/problems.ts';

let api: KubeApi;
beforeAll(async () => {
  api = await KubeApi.start('east');
});
afterAll(() => api.stop());
afterEach(() => {
  api.intervene = () => undefined;
  api.objects.clear();
  api.requests.length = 0;
});

const object = (
  apiVersion: string,
  kind: string,
  name: string,
  namespace?: string,
  fields: object = {},
): KubeObject => ({
  apiVersion,
  kind,
  metadata: { name, ...(namespace !== undefined && { namespace }), ...fields },
});
const ours = [
  object('v1', 'Namespace', 'shop'),
  object('v1', 'Namespace', 'istio-system'),
  object('apiextensions.k8s.io/v1', 'CustomResourceDefinition', 'gateways.networking.istio.io'),
  object('rbac.authorization.k8s.io/v1', 'ClusterRole', 'istiod'),
  object('admissionregistration.k8s.io/v1', 'MutatingWebhookConfiguration', 'istio-sidecar-injector'),
  object('apps/v1', 'Deployment', 'istiod', 'istio-system'),
  object('v1', 'Service', 'catalog', 'shop'),
  object('apps/v1', 'Deployment', 'catalog', 'shop'),
].map(labelManaged);

const store = (objects: readonly KubeObject[]) => {
  for (const one of objects) api.put({ ...one, metadata: { ...one.metadata } });
};
const names = (objects: readonly KubeObject[]) => objects.map(({ metadata }) => metadata.name);
async function remove(): Promise<readonly string[]> {
  const lines: string[] = [];
  await removeMesh(modelOf(['east']), {
    access: { east: { kubeconfig: api.kubeconfig, context: 'east' } },
    report: (line) => lines.push(line),
  });
  return lines;
}

test('removalOrder begins with webhooks, then what runs, and ends with the definitions', () => {
  expect(removalOrder(ours, 'istio-system').map(names)).toEqual([
    ['istio-sidecar-injector'],
    ['catalog'],
    ['catalog'],
    ['istiod'],
    ['istiod'],
    ['gateways.networking.istio.io'],
  ]);
  expect(removalOrder(ours, 'istio-system').map(([first]) => first?.kind)).toEqual([
    'MutatingWebhookConfiguration',
    'Deployment',
    'Service',
    'Deployment',
    'ClusterRole',
    'CustomResourceDefinition',
  ]);
});

describe('removeMesh', () => {
  test('deletes what is labelled as ours, in order, namespaces last; a second run finds nothing', async () => {
    store(ours);
    store([
      object('v1', 'ConfigMap', 'istio-ca-root-cert', 'default', { labels: { 'istio.io/config': 'true' } }),
    ]);
    store([object('v1', 'Namespace', 'default')]);
    expect(await remove()).toEqual(['east: removed 8 objects']);
    const deleted = api.requests
      .filter(({ method }) => method === 'DELETE')
      .map(({ path }) => path.split('/').at(-1));
    expect(deleted).toEqual([
      'istio-sidecar-injector',
      'catalog',
      'catalog',
      'istiod',
      'istiod',
      'gateways.networking.istio.io',
      'istio-ca-root-cert',
      'shop',
      'istio-system',
    ]);
    expect([...api.objects.keys()]).toEqual(['/api/v1/namespaces/default']);
    expect(await remove()).toEqual(['east: nothing to remove']);
  });

  test("keeps what is not ours, what controllers made, and a namespace in which somebody else's work runs", async () => {
    const strangers = [
      object('v1', 'Service', 'other', 'shop'),
      object('apps/v1', 'Deployment', 'other', 'shop'),
      labelManaged(object('v1', 'Endpoints', 'catalog', 'shop')),
    ];
    store([...ours, ...strangers]);
    expect(await remove()).toEqual([
      'east: namespace shop is kept, it holds what meshwright did not make: Deployment shop/other',
      'east: removed 7 objects',
    ]);
    expect(strangers.map((stranger) => api.get(stranger) !== undefined)).toEqual([true, true, true]);
    expect(api.get(object('v1', 'Namespace', 'shop'))).toBeDefined();
  });

  test('names the object that may not be deleted', async () => {
    store(ours);
    api.intervene = ({ method, path }) =>
      method === 'DELETE' && path.endsWith('/deployments/catalog')
        ? { status: 403, body: { message: 'user may not delete deployments' } }
        : undefined;
    expect(await problemOf(remove())).toEqual({
      exitCode: 1,
      message: 'east: Deployment shop/catalog: not deleted: user may not delete deployments',
    });
  });
});
