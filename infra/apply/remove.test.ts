import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { KubeObject } from '../kube/kube-object.ts';
import { labelManaged } from '../kube/kube-object.ts';
import { removalOrder } from '../kube/managed.ts';
import type { MeshIdentity } from '../preflight/identity.ts';
import { removeMesh } from './remove.ts';
import { putIssued } from '../testing/cert-manager.ts';
import { makeCertificate } from '../testing/certificates.ts';
import { plural } from '../testing/api-kinds.ts';
import { KubeApi } from '../testing/kube-api.ts';
import { modelOf } from '../testing/models.ts';
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
].map((one) => appliedBy('meshwright', one));

/** As an engine left it. */
function appliedBy(manager: string, { metadata, ...rest }: KubeObject): KubeObject {
  const managedFields = [{ manager, operation: 'Apply' }];
  return labelManaged({ ...rest, metadata: { ...metadata, managedFields } } as KubeObject, 'shop');
}

const store = (objects: readonly KubeObject[]) => {
  for (const one of objects) api.put({ ...one, metadata: { ...one.metadata } });
};
const names = (objects: readonly KubeObject[]) => objects.map(({ metadata }) => metadata.name);
async function remove(identity: MeshIdentity = {}): Promise<readonly string[]> {
  const lines: string[] = [];
  await removeMesh(modelOf(['east']), {
    access: { east: { kubeconfig: api.kubeconfig, context: 'east' } },
    trustDir: join(folder, 'trust'),
    ...{ identity, report: (line: string) => lines.push(line) },
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

  const besideNamespaces = [
    'mutatingwebhookconfigurations',
    'validatingwebhookconfigurations',
    'customresourcedefinitions',
    'clusterroles',
    'clusterrolebindings',
  ];

  /**
   * Credentials that may list a type in these namespaces alone, and no other type at all but namespaces and what an Istio has
   * beside them, as docs/rights/down.yaml has it.
   */
  const listsOnly = (
    types: readonly string[],
    namespaces: readonly string[],
    everywhere: readonly string[] = besideNamespaces,
  ) => {
    const all = Object.values(kinds).flatMap((of) => of.map(([kind]) => plural(kind)));
    api.intervene = ({ method, path }) => {
      const [, namespace = '', type = ''] = /(?:\/namespaces\/([^/]+))?\/([a-z]+)$/.exec(path) ?? [];
      if (
        method !== 'GET' ||
        ['namespaces', ...everywhere].includes(type) ||
        !all.includes(type) ||
        api.objects.has(path)
      )
        return undefined;
      if (types.includes(type) && namespaces.includes(namespace)) return undefined;
      return { status: 403, body: { message: `may not list ${type}` } };
    };
  };

  test('finds what the credentials may list in the namespaces of the mesh alone, and keeps what may hold things of others', async () => {
    store(ours.filter(({ metadata, kind }) => metadata.namespace !== undefined || kind === 'Namespace'));
    listsOnly(['deployments', 'services', 'configmaps'], ['shop', 'istio-system']);
    const kept = (name: string) =>
      `east: Namespace ${name} is kept because these credentials may not list what others may have there: authorizationpolicys.security.istio.io, daemonsets.apps, destinationrules.networking.istio.io and 16 more kinds`;
    expect(await remove()).toEqual([
      'east: objects of kinds that these credentials may not list were not looked for: authorizationpolicys.security.istio.io, daemonsets.apps, destinationrules.networking.istio.io and 18 more kinds',
      kept('shop'),
      kept('istio-system'),
      'east: removed 3 objects',
    ]);
    expect(api.get(object('v1', 'Namespace', 'shop'))).toBeDefined();
  });

  test('refuses credentials that would leave behind what an Istio has beside its namespaces', async () => {
    store(ours);
    listsOnly(['deployments', 'services', 'configmaps'], ['shop', 'istio-system'], ['clusterroles']);
    expect(await problemOf(remove())).toEqual({
      exitCode: 2,
      message:
        'east: the credentials may not list mutatingwebhookconfigurations.admissionregistration.k8s.io, ' +
        'validatingwebhookconfigurations.admissionregistration.k8s.io, customresourcedefinitions.apiextensions.k8s.io, ' +
        'clusterrolebindings.rbac.authorization.k8s.io, which would be left behind; nothing was deleted; ' +
        'fix: use credentials with the rights of docs/rights/down.yaml',
    });
    expect(ours.filter((one) => api.get(one) === undefined)).toEqual([]);
  });

  test('keeps a definition whose resources the credentials may not list', async () => {
    store(ours.filter(({ kind }) => kind === 'CustomResourceDefinition'));
    api.intervene = ({ method, path }) =>
      method === 'GET' && path === '/apis/networking.istio.io/v1/gateways'
        ? { status: 403, body: { message: 'may not list gateways' } }
        : undefined;
    expect(await remove()).toEqual([
      'east: objects of kinds that these credentials may not list were not looked for: gateways.networking.istio.io',
      'east: CustomResourceDefinition gateways.networking.istio.io is kept because these credentials may not list what others may have there: gateways.networking.istio.io',
      'east: nothing to remove',
    ]);
  });

  test.each([
    ['copied', {}],
    ['restored from a backup with their field managers', { labels: { 'velero.io/restore-name': 'nightly' } }],
  ])(
    'keeps what others %s into a namespace of theirs, and the namespace, and names each',
    async (_, mark) => {
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
        ].map((name) => `east: ${name} is kept: it has the mesh's labels, but meshwright did not write it`),
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
