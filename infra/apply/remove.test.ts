import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { KubeObject } from '../kube/kube-object.ts';
import { labelManaged } from '../kube/kube-object.ts';
import { removalOrder } from '../kube/managed.ts';
import type { MeshIdentity } from '../preflight/identity.ts';
import { appliedBy, object, ours, removeIn, storeIn } from './testing/removal.ts';
import { putIssued } from '../testing/cert-manager.ts';
import { makeCertificate } from '../testing/certificates.ts';
import { KubeApi } from '../testing/kube-api.ts';
import { problemOf } from '../testing/problems.ts';
import { ensureTrust } from '../trust/folder.ts';
import { cacertsSecret } from '../trust/objects.ts';

let api: KubeApi;
let folder: string;
let kinds: KubeApi['kinds'];
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'remove-'));
  api = await KubeApi.start('east');
  ({ kinds } = api);
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await api.stop();
});
afterEach(() => {
  api.kinds = kinds;
  api.intervene = () => undefined;
  api.objects.clear();
  api.requests.length = 0;
});

const store = (objects: readonly KubeObject[]) => {
  storeIn(api, objects);
};
const names = (objects: readonly KubeObject[]) => objects.map(({ metadata }) => metadata.name);
const remove = (identity: MeshIdentity = {}) => removeIn(api, join(folder, 'trust'), identity);

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
    const provided = [
      ...['shop', 'default'].flatMap((namespace) =>
        ['istio-ca-root-cert', 'istio-ca-crl'].map((name) =>
          object('v1', 'ConfigMap', name, namespace, { labels: { 'istio.io/config': 'true' } }),
        ),
      ),
      object('v1', 'ConfigMap', 'kube-root-ca.crt', 'shop'),
      object('v1', 'ServiceAccount', 'default', 'shop'),
      object('v1', 'Event', 'catalog.1', 'shop'),
      object('v1', 'ConfigMap', 'istio-leader', 'istio-system', {
        annotations: { 'control-plane.alpha.kubernetes.io/leader': '{}' },
      }),
      { ...object('v1', 'Secret', 'token', 'shop'), type: 'kubernetes.io/service-account-token' },
    ];
    store(provided);
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
      'istio-ca-crl',
      'shop',
      'istio-system',
    ]);
    expect(api.get(object('v1', 'Namespace', 'default'))).toBeDefined();
    expect(provided.map((one) => api.get(one) !== undefined)).toEqual([
      false,
      false,
      ...provided.slice(2).map(() => true),
    ]);
    expect(await remove()).toEqual(['east: nothing to remove']);
  });

  test("keeps what is not ours, what controllers made, and a namespace in which somebody else's work runs", async () => {
    const strangers = [
      object('v1', 'Service', 'other', 'shop'),
      object('apps/v1', 'Deployment', 'other', 'shop'),
      labelManaged(object('v1', 'Endpoints', 'catalog', 'shop'), 'shop'),
    ];
    store([...ours, ...strangers]);
    expect(await remove()).toEqual([
      'east: Namespace shop is kept for what meshwright did not make: Service shop/other, Deployment shop/other',
      'east: removed 7 objects',
    ]);
    expect(strangers.map((stranger) => api.get(stranger) !== undefined)).toEqual([true, true, true]);
    expect(api.get(object('v1', 'Namespace', 'shop'))).toBeDefined();
  });

  test('names the claims that a StatefulSet leaves, whatever their number, and keeps their namespace', async () => {
    const more = ['apps/v1', 'v1'] as const;
    const [sets, claimed] = [
      ['StatefulSet', true] as [string, boolean],
      ['PersistentVolumeClaim', true] as [string, boolean],
    ];
    api.kinds = {
      ...kinds,
      [more[0]]: [...(kinds['apps/v1'] ?? []), sets],
      v1: [...(kinds['v1'] ?? []), claimed],
    };
    const set = ours.find(({ kind, metadata }) => kind === 'Deployment' && metadata.namespace === 'shop')!;
    const spec = { volumeClaimTemplates: [{ metadata: { name: 'data' } }] };
    const claims = [0, 1, 2, 3].map((index) =>
      object('v1', 'PersistentVolumeClaim', `data-catalog-${index}`, 'shop'),
    );
    store([...ours.filter((one) => one !== set), { ...set, kind: 'StatefulSet', spec }, ...claims]);
    const listed = names(claims).map((name) => `PersistentVolumeClaim shop/${name}`);
    expect(await remove()).toEqual([
      `east: ${listed.join(', ')} are kept, with what StatefulSet shop/catalog wrote; to delete them and the data for good: ` +
        `kubectl --kubeconfig ${api.kubeconfig} --context east -n shop delete pvc ${names(claims).join(' ')}`,
      `east: Namespace shop is kept for what meshwright did not make: ${listed.slice(0, 3).join(', ')}`,
      'east: removed 7 objects',
    ]);
    expect(claims.every((claim) => api.get(claim) !== undefined)).toBe(true);
  });

  test('keeps claims and volumes of ours with their data and their namespace, and tells the commands that delete them', async () => {
    const volumes: [kind: string, namespaced: boolean][] = [
      ['PersistentVolumeClaim', true],
      ['PersistentVolume', false],
    ];
    api.kinds = { ...kinds, v1: [...(kinds['v1'] ?? []), ...volumes] };
    const data = [
      object('v1', 'PersistentVolumeClaim', 'orders', 'shop'),
      object('v1', 'PersistentVolume', 'orders'),
    ];
    store([...ours, ...data.map((one) => appliedBy('meshwright', one))]);
    const kubectl = `kubectl --kubeconfig ${api.kubeconfig} --context east`;
    const kept = 'is kept, with its data; to delete it and the data for good';
    expect(await remove()).toEqual([
      `east: PersistentVolumeClaim shop/orders ${kept}: ${kubectl} -n shop delete pvc orders`,
      `east: PersistentVolume orders ${kept}: ${kubectl} delete pv orders`,
      'east: Namespace shop is kept for PersistentVolumeClaim shop/orders',
      'east: removed 7 objects',
    ]);
    expect(data.every((one) => api.get(one) !== undefined)).toBe(true);
  });

  test.each([
    ['ConfigMap', object('v1', 'ConfigMap', 'settings', 'shop')],
    ['Secret', object('v1', 'Secret', 'password', 'shop')],
    ['ServiceAccount', object('v1', 'ServiceAccount', 'robot', 'shop')],
    ['object of another mesh', labelManaged(object('v1', 'ConfigMap', 'theirs', 'shop'), 'market')],
  ])('keeps a namespace for the %s of somebody else', async (_, stranger) => {
    store([...ours, stranger]);
    expect(await remove()).toEqual([
      `east: Namespace shop is kept for what meshwright did not make: ${stranger.kind} shop/${stranger.metadata.name}`,
      'east: removed 7 objects',
    ]);
    expect(api.get(stranger)).toBeDefined();
  });

  test('names the first three of what a namespace is kept for', async () => {
    store([...ours, ...['a', 'b', 'c', 'd'].map((name) => object('v1', 'ConfigMap', name, 'shop'))]);
    expect(await remove()).toEqual([
      'east: Namespace shop is kept for what meshwright did not make: ConfigMap shop/a, ConfigMap shop/b, ConfigMap shop/c',
      'east: removed 7 objects',
    ]);
  });

  test.each([
    [object('coordination.k8s.io/v1', 'Lease', 'leader', 'shop')],
    [object('v1', 'Event', 'started', 'shop')],
    [{ ...object('v1', 'Secret', 'robot-token', 'shop'), type: 'kubernetes.io/service-account-token' }],
    [object('v1', 'ConfigMap', 'istio-ca-crl', 'shop')],
    [
      object('v1', 'Pod', 'catalog-1', 'shop', {
        ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'catalog', uid: '1' }],
      }),
    ],
  ])('a namespace is not kept for what comes and goes, or is provided: %j', async (passing) => {
    api.kinds = { ...kinds, 'coordination.k8s.io/v1': [['Lease', true]] };
    store([...ours, passing]);
    expect(await remove()).toEqual(['east: removed 8 objects']);
  });

  test("of Istio's copies only those are deleted that Istio wrote", async () => {
    const mark = { labels: { 'istio.io/config': 'true' } };
    const written = object('v1', 'ConfigMap', 'istio-ca-crl', 'shop', mark);
    const named = object('v1', 'ConfigMap', 'istio-ca-root-cert', 'shop');
    const marked = object('v1', 'ConfigMap', 'mine', 'shop', mark);
    store([...ours, written, named, marked]);
    expect(await remove()).toEqual([
      'east: Namespace shop is kept for what meshwright did not make: ConfigMap shop/mine',
      'east: removed 7 objects',
    ]);
    expect([written, named, marked].map((one) => api.get(one) !== undefined)).toEqual([false, true, true]);
  });

  test("keeps the definition of somebody else's custom resource, and so the resource", async () => {
    const gateway = object('networking.istio.io/v1', 'Gateway', 'theirs', 'default');
    store([...ours, gateway]);
    expect(await remove()).toEqual([
      'east: CustomResourceDefinition gateways.networking.istio.io is kept for what meshwright did not make: Gateway default/theirs',
      'east: removed 7 objects',
    ]);
    expect(api.get(gateway)).toBeDefined();
  });

  test('deletes nothing of a mesh with another root CA', async () => {
    const trust = (name: string) => ensureTrust(join(folder, name), 'shop', ['east'], 'istio-system');
    const [theirs] = await Promise.all([trust('theirs'), trust('trust')]);
    store([...ours, cacertsSecret('shop', 'istio-system', theirs['east']!)]);
    expect(await problemOf(remove())).toEqual({
      exitCode: 2,
      message: `east: Secret istio-system/cacerts: contains a different root CA than ${join(folder, 'trust')}: it belongs to another mesh, and nothing was deleted; fix: take that mesh down from the checkout that made it, or put its trust folder there`,
    });
    expect(api.requests.filter(({ method }) => method === 'DELETE')).toEqual([]);
    rmSync(join(folder, 'trust'), { recursive: true });
    expect(await remove()).toEqual(['east: removed 9 objects']);
  });

  const mine = { environment: 'staging', trustDomain: 'staging.example', id: 'mine' };
  /** What another checkout made with a CA of the same root. */
  const putMesh = (annotations: object, trustDomain: string) => {
    store(ours);
    const [home] = ours.filter(({ metadata }) => metadata.name === 'istio-system');
    if (home !== undefined) store([{ ...home, metadata: { ...home.metadata, annotations } } as KubeObject]);
    const labels = { 'istio.io/rev': 'default' };
    const config = object('v1', 'ConfigMap', 'istio', 'istio-system', { labels });
    store([labelManaged({ ...config, data: { mesh: `trustDomain: ${trustDomain}` } }, 'shop')]);
  };

  test.each([
    [
      'environment',
      { 'meshwright/environment': 'prod' },
      'staging.example',
      'environment prod',
      'environment staging',
    ],
    ['trust domain', {}, 'prod.example', 'trust domain prod.example', 'trust domain staging.example'],
    ['id', { 'meshwright/mesh-id': 'theirs' }, 'staging.example', 'id theirs', 'id mine'],
  ])('deletes nothing of a mesh with another %s', async (_, annotations, trustDomain, received, allowed) => {
    putMesh(annotations, trustDomain);
    expect(await problemOf(remove(mine))).toEqual({
      exitCode: 2,
      message: `east: Namespace istio-system: has the control plane of another mesh that is named shop, or of another environment of it: nothing was deleted; received "${received}"; allowed ${allowed}; fix: take that mesh down from the checkout that made it, or check which clusters this one names`,
    });
    expect(api.requests.filter(({ method }) => method === 'DELETE')).toEqual([]);
  });

  test.each([
    [
      'its own, whatever was declared since',
      { 'meshwright/mesh-id': 'mine', 'meshwright/environment': 'lab' },
      'old.example',
    ],
    ['one of an earlier version', {}, 'staging.example'],
  ])('takes down %s', async (_, annotations, trustDomain) => {
    putMesh(annotations, trustDomain);
    expect(await remove(mine)).toEqual(['east: removed 9 objects']);
  });

  test('takes down a mesh whose CA an issuer signs, whose root is in no folder', async () => {
    await ensureTrust(join(folder, 'trust'), 'shop', ['east'], 'istio-system');
    store(ours);
    const [root, ca] = [await makeCertificate({ name: 'root' }), await makeCertificate({ name: 'ca' })];
    const labels = { 'app.kubernetes.io/managed-by': 'meshwright', 'app.kubernetes.io/part-of': 'shop' };
    putIssued(api, ca, root.certificate, 'mesh-ca', labels);
    expect(await remove()).toEqual(['east: removed 9 objects']);
    rmSync(join(folder, 'trust'), { recursive: true });
  });

  test('keeps the definition that somebody else has resources of in another mesh, and deletes one that nobody serves', async () => {
    const theirs = labelManaged(object('networking.istio.io/v1', 'Gateway', 'theirs', 'default'), 'market');
    const unserved = appliedBy(
      'meshwright',
      object('apiextensions.k8s.io/v1', 'CustomResourceDefinition', 'wasmplugins.extensions.istio.io'),
    );
    store([...ours, theirs, unserved]);
    expect(await remove()).toEqual([
      'east: CustomResourceDefinition gateways.networking.istio.io is kept for what meshwright did not make: Gateway default/theirs',
      'east: removed 8 objects',
    ]);
    expect(api.get(unserved)).toBeUndefined();
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
