import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import type { KubeObject } from '../kube/kube-object.ts';
import { labelManaged, manager } from '../kube/kube-object.ts';
import type { Plan } from '../plan/plan.ts';
import { kinds } from '../testing/api-kinds.ts';
import { KubeApi } from '../testing/kube-api.ts';
import { prune, willDelete } from './prune.ts';
import { Snapshot } from './snapshot.ts';

let api: KubeApi;
beforeAll(async () => {
  api = await KubeApi.start('east');
});
afterAll(() => api.stop());
afterEach(() => {
  api.objects.clear();
  api.requests.length = 0;
  api.kinds = kinds;
  api.intervene = () => undefined;
});

const ours = { manager, operation: 'Apply' };
const object = (
  apiVersion: string,
  kind: string,
  name: string,
  namespace?: string,
  managedFields: readonly object[] = [ours],
): KubeObject =>
  labelManaged(
    {
      apiVersion,
      kind,
      metadata: { name, ...(namespace !== undefined && { namespace }), managedFields },
    } as KubeObject,
    'shop',
  );

const service = object('v1', 'Service', 'catalog', 'shop');
const deployment = object('apps/v1', 'Deployment', 'catalog', 'shop');
const webhook = object('admissionregistration.k8s.io/v1', 'MutatingWebhookConfiguration', 'injector');
const istiod = object('apps/v1', 'Deployment', 'istiod', 'istio-system');
const namespace = object('v1', 'Namespace', 'shop');
const definition = object(
  'apiextensions.k8s.io/v1',
  'CustomResourceDefinition',
  'gateways.networking.istio.io',
);
const role = object('rbac.authorization.k8s.io/v1', 'ClusterRole', 'reader');

/** What a prune deletes when this is in the cluster and that declared, what it says, and what it was said to do. */
async function pruned(live: readonly KubeObject[], declared: readonly KubeObject[]) {
  for (const one of live) api.put({ ...one, metadata: { ...one.metadata } });
  const before = await Snapshot.take(api.client, 'shop', undefined);
  const lines: string[] = [];
  const plan = { controlPlaneNamespace: 'istio-system' } as Plan;
  const foretold = willDelete(plan, before, declared);
  const deleted = await prune(api.client, plan, before, declared, (line) => lines.push(line), undefined);
  const requests = api.requests
    .filter(({ method }) => method === 'DELETE')
    .map(({ path }) => path.split('/').at(-1));
  return { deleted, foretold, requests, lines };
}

test('what is declared stays', async () => {
  const all = [service, deployment, webhook, namespace, definition, role];
  expect(await pruned(all, all)).toEqual({ deleted: 0, foretold: false, requests: [], lines: [] });
});

test('the claims of a StatefulSet that is no longer declared stay, and are named', async () => {
  const more = {
    'apps/v1': [['StatefulSet', true]],
    v1: [
      ['Service', true],
      ['PersistentVolumeClaim', true],
    ],
  } as const;
  api.kinds = { ...kinds, ...(more as unknown as typeof kinds) };
  const spec = { volumeClaimTemplates: [{ metadata: { name: 'data' } }] };
  const set = { ...object('apps/v1', 'StatefulSet', 'redis', 'shop'), spec };
  const claims = ['data-redis-0', 'data-redis-1', 'data-redis-pods-0', 'data-redis-x', 'logs-redis-0'].map(
    (name): KubeObject => ({
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name, namespace: 'shop' },
    }),
  );
  const kubectl = `kubectl --kubeconfig ${api.kubeconfig} --context east`;
  expect(await pruned([service, set, ...claims], [service])).toEqual({
    ...{ deleted: 1, foretold: true, requests: ['redis'] },
    lines: [
      'east: deleted StatefulSet shop/redis',
      'east: PersistentVolumeClaim shop/data-redis-0, PersistentVolumeClaim shop/data-redis-1 are kept, with what StatefulSet shop/redis wrote; ' +
        `to delete them and the data for good: ${kubectl} -n shop delete pvc data-redis-0 data-redis-1`,
    ],
  });
  expect(claims.every((claim) => api.get(claim) !== undefined)).toBe(true);
  api.objects.clear();
  api.intervene = ({ path }) =>
    path.endsWith('/persistentvolumeclaims') ? { status: 403, body: { message: 'may not list' } } : undefined;
  const { lines } = await pruned([service, set], [service]);
  expect(lines).toContain(
    'east: claims of StatefulSet shop/redis (data) are kept, and these credentials may not list them',
  );
});

test('a claim and a volume that are no longer declared stay, and the commands that delete them are told', async () => {
  const volumes = { v1: [...kinds['v1']!, ['PersistentVolumeClaim', true], ['PersistentVolume', false]] };
  api.kinds = { ...kinds, ...(volumes as unknown as typeof kinds) };
  const [claim, volume] = [
    object('v1', 'PersistentVolumeClaim', 'orders', 'shop'),
    object('v1', 'PersistentVolume', 'orders'),
  ];
  const kubectl = `kubectl --kubeconfig ${api.kubeconfig} --context east`;
  const left = 'is no longer declared and is left, with its data; to delete it and the data for good';
  expect(await pruned([service, claim, volume], [service])).toEqual({
    ...{ deleted: 0, foretold: false, requests: [] },
    lines: [
      `east: PersistentVolumeClaim shop/orders ${left}: ${kubectl} -n shop delete pvc orders`,
      `east: PersistentVolume orders ${left}: ${kubectl} delete pv orders`,
    ],
  });
  expect([claim, volume].map((one) => api.get(one) !== undefined)).toEqual([true, true]);
});

test('kinds that the credentials may not list are named: what of them is no longer declared stays', async () => {
  const forbidden = { status: 403, body: { message: 'may not list' } };
  api.intervene = ({ path }) => (/\/(configmaps|secrets)$/.test(path) ? forbidden : undefined);
  const listed = await pruned([service], []);
  // In a namespace of the mesh they may.
  api.intervene = ({ path }) =>
    path.endsWith('/v1/services') || path.endsWith('/secrets') ? forbidden : undefined;
  const inside = await pruned([service, namespace], [namespace]);
  api.intervene = () => undefined;
  const line = 'east: objects of kinds that these credentials may not list were not looked for: ';
  expect([listed, inside]).toEqual([
    {
      deleted: 1,
      foretold: true,
      requests: ['catalog'],
      lines: [`${line}configmaps, secrets`, 'east: deleted Service shop/catalog'],
    },
    {
      deleted: 1,
      foretold: true,
      requests: ['catalog', 'catalog'],
      lines: [`${line}secrets`, 'east: deleted Service shop/catalog'],
    },
  ]);
});

test('a backup of ours that others restored into a namespace of theirs stays, with our field manager', async () => {
  const restored = (namespace: string): KubeObject => {
    const { metadata, ...rest } = object('v1', 'ConfigMap', 'prices', namespace);
    const labels = { ...metadata.labels, 'velero.io/restore-name': 'nightly' };
    return { ...rest, metadata: { ...metadata, labels } };
  };
  const live = [namespace, restored('shop'), restored('theirs')];
  expect(await pruned(live, [namespace])).toEqual({
    deleted: 1,
    foretold: true,
    requests: ['prices'],
    lines: ['east: deleted ConfigMap shop/prices'],
  });
  expect(api.get(restored('theirs'))).toBeDefined();
});

test('in a namespace of the mesh that was restored from a backup, what is no longer declared goes', async () => {
  const restored = ({ metadata, ...rest }: KubeObject): KubeObject => ({
    ...rest,
    metadata: { ...metadata, labels: { ...metadata.labels, 'velero.io/restore-name': 'nightly' } },
  });
  expect(await pruned([namespace, service, deployment].map(restored), [namespace, deployment])).toEqual({
    deleted: 1,
    foretold: true,
    requests: ['catalog'],
    lines: ['east: deleted Service shop/catalog'],
  });
});

test('what is no longer declared goes, in the order of a removal, each told', async () => {
  const gone = [istiod, role, deployment, webhook, service];
  expect(await pruned([...gone, namespace], [namespace])).toEqual({
    deleted: 5,
    foretold: true,
    requests: ['injector', 'catalog', 'catalog', 'istiod', 'reader'],
    lines: [
      'east: deleted MutatingWebhookConfiguration injector',
      'east: deleted Deployment shop/catalog',
      'east: deleted Service shop/catalog',
      'east: deleted Deployment istio-system/istiod',
      'east: deleted ClusterRole reader',
    ],
  });
});

test.each([
  ['Namespace', namespace, 'Namespace shop'],
  ['definition', definition, `CustomResourceDefinition ${definition.metadata.name}`],
])(
  'a %s that is no longer declared stays and is told: what others have in it would go with it',
  async (_, kept, name) => {
    const lines = [`east: ${name} is no longer declared and is left: delete it by hand`];
    expect(await pruned([kept], [])).toEqual({ deleted: 0, foretold: false, requests: [], lines });
    api.requests.length = 0;
    expect(await pruned([kept, service], [])).toEqual({
      deleted: 1,
      foretold: true,
      requests: ['catalog'],
      lines: [...lines, 'east: deleted Service shop/catalog'],
    });
  },
);

test.each<[string, readonly object[]]>([
  ['nobody noted', []],
  ['a controller applied', [{ manager: 'deployment-controller', operation: 'Apply' }]],
  ['somebody wrote in our name', [{ manager, operation: 'Update' }]],
  [
    'others wrote and applied, in turn',
    [
      { manager: 'kubectl', operation: 'Apply' },
      { manager, operation: 'Update' },
    ],
  ],
])('what has our labels, but %s, is not ours to delete', async (_, managedFields) => {
  const copied = object('v1', 'Service', 'copied', 'shop', managedFields);
  expect(await pruned([copied], [])).toEqual({ deleted: 0, foretold: false, requests: [], lines: [] });
});

test('what others wrote in, too, is ours all the same', async () => {
  const shared = object('v1', 'Service', 'shared', 'shop', [
    { manager: 'kubectl', operation: 'Update' },
    ours,
  ]);
  expect(await pruned([shared], [])).toMatchObject({ deleted: 1, foretold: true, requests: ['shared'] });
});

test('an object of the same name in another namespace, or of another kind or group, is another', async () => {
  const elsewhere = object('v1', 'Service', 'catalog', 'outlet');
  expect(
    await pruned([service, deployment], [elsewhere, object('v1', 'Deployment', 'catalog', 'shop')]),
  ).toMatchObject({
    deleted: 2,
    requests: ['catalog', 'catalog'],
  });
});

test('another version of a group is the same object', async () => {
  expect(await pruned([deployment], [object('apps/v1beta1', 'Deployment', 'catalog', 'shop')])).toMatchObject(
    {
      deleted: 0,
      foretold: false,
    },
  );
});
