import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { labelManaged } from '../kube/kube-object.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import { KubeApi } from '../testing/kube-api.ts';
import { appliedBy, object, ours, removeIn, storeIn } from './testing/removal.ts';

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

const store = (objects: readonly KubeObject[]) => {
  storeIn(api, objects);
};
const remove = () => removeIn(api, '/nowhere');

test.each([
  ['copied', {}, "it has the mesh's labels, but meshwright did not write it"],
  [
    'restored from a backup with their field managers',
    { labels: { 'velero.io/restore-name': 'nightly' } },
    'it was restored from a backup: if it is declared, the next `up` makes it of this mesh again; else delete it by hand',
  ],
])(
  'keeps what others %s into a namespace of theirs, and the namespace, and names each',
  async (_, mark, why) => {
    const managedFields = 'labels' in mark ? [{ manager: 'meshwright', operation: 'Apply' }] : [];
    const copies = [
      object('v1', 'Namespace', 'restored', undefined, mark),
      object('apps/v1', 'Deployment', 'catalog', 'restored', { ...mark, managedFields }),
      object('v1', 'ConfigMap', 'prices', 'restored', { ...mark, managedFields }),
      object('v1', 'Secret', 'tls', 'default', { ...mark, managedFields }),
      object('rbac.authorization.k8s.io/v1', 'ClusterRole', 'copy', undefined, { ...mark, managedFields }),
    ].map((one) => labelManaged(one, 'shop'));
    store([...ours, ...copies]);
    const lines = await remove();
    expect(lines.toSorted()).toEqual([
      ...[
        'ClusterRole copy',
        'ConfigMap restored/prices',
        'Deployment restored/catalog',
        'Namespace restored',
        'Secret default/tls',
      ].map((name) => `east: ${name} is kept: ${why}`),
      'east: removed 8 objects',
    ]);
    expect(copies.filter((one) => api.get(one) === undefined)).toEqual([]);
  },
);

test.each(['meshwright', 'pulumi-kubernetes-d3b07384', 'pulumi-resource-kubernetes', 'pulumi-kubernetes'])(
  'deletes what %s wrote outside of the namespaces of the mesh',
  async (manager) => {
    const outside = appliedBy(manager, object('v1', 'ConfigMap', 'settings', 'kube-system'));
    store([...ours, outside]);
    expect(await remove()).toEqual(['east: removed 9 objects']);
    expect(api.get(outside)).toBeUndefined();
  },
);

test('in a namespace that an engine made, deletes all that has the labels of the mesh, whoever wrote it', async () => {
  const plain = ours.map((one) =>
    one.kind === 'Namespace'
      ? appliedBy('pulumi-kubernetes-d3b07384', object('v1', 'Namespace', one.metadata.name))
      : one,
  );
  store([...plain, labelManaged(object('v1', 'ConfigMap', 'by-hand', 'shop'), 'shop')]);
  expect(await remove()).toEqual(['east: removed 9 objects']);
});

test('what others made under a name of ours, while ours was being removed, stays', async () => {
  const theirs = object('v1', 'Service', 'catalog', 'shop');
  store(ours);
  api.intervene = ({ method, path }) => {
    if (method === 'DELETE' && path.endsWith('/deployments/catalog')) store([theirs]);
    return undefined;
  };
  expect(await remove()).toEqual([
    'east: Namespace shop is kept for what meshwright did not make: Service shop/catalog',
    'east: removed 6 objects',
  ]);
  expect(api.get(theirs)).toBeDefined();
});
