import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import type { KubeObject } from '../kube/kube-object.ts';
import { rightsOf, type Right } from '../preflight/rights.ts';
import { kinds, plural } from '../testing/api-kinds.ts';
import { KubeApi } from '../testing/kube-api.ts';
import { problemOf } from '../testing/problems.ts';
import { appliedBy, object, ours, removeIn, storeIn } from './testing/removal.ts';

let api: KubeApi;
beforeAll(async () => {
  api = await KubeApi.start('east');
});
afterAll(() => api.stop());
afterEach(() => {
  api.intervene = () => undefined;
  api.kinds = kinds;
  api.objects.clear();
  api.requests.length = 0;
});

const store = (objects: readonly KubeObject[]) => {
  storeIn(api, objects);
};
const remove = () => removeIn(api, '/nowhere');

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
  const all = Object.values(api.kinds).flatMap((of) => of.map(([kind]) => plural(kind)));
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
    `east: Namespace ${name} is kept because these credentials may not list what others may have there: authorizationpolicys.security.istio.io, cronjobs.batch, daemonsets.apps and 18 more kinds`;
  expect(await remove()).toEqual([
    'east: objects of kinds that these credentials may not list were not looked for: authorizationpolicys.security.istio.io, cronjobs.batch, daemonsets.apps and 20 more kinds',
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

/** Credentials with these rights and no others; what they were refused is noted. */
function withOnly(rights: readonly Right[], spaces: Readonly<Record<Right['place'], readonly string[]>>) {
  const refused: string[] = [];
  const verbs: Readonly<Record<string, string>> = { POST: 'create', PATCH: 'patch', DELETE: 'delete' };
  api.intervene = ({ method, path }) => {
    const [, group, namespace, type, name] =
      /^\/(?:api\/v1|apis\/([^/]+)\/[^/]+)(?:\/namespaces\/([^/]+)(?=\/))?\/([a-z]+)(?:\/([^/]+))?$/.exec(
        path,
      ) ?? [];
    // Discovery is open to all.
    if (type === undefined) return undefined;
    const resource = group === undefined ? type : `${type}.${group}`;
    const verb = verbs[method] ?? (name === undefined ? 'list' : 'get');
    const isGiven = rights.some(
      (right) =>
        [resource, `*.${group ?? ''}`].includes(right.resource) &&
        right.verbs.includes(verb) &&
        (right.names === undefined || right.names.includes(name ?? '')) &&
        (right.place === 'cluster' || spaces[right.place].includes(namespace ?? '')),
    );
    if (isGiven) return undefined;
    refused.push(`${verb} ${resource} ${namespace ?? 'everywhere'}`);
    return { status: 403, body: { message: `may not ${verb} ${resource}` } };
  };
  return refused;
}

test('with the rights of docs/rights/down.yaml names the claims that a StatefulSet leaves, and is refused nothing but to list what the mesh does not have', async () => {
  api.kinds = {
    ...kinds,
    'apps/v1': [...kinds['apps/v1']!, ['StatefulSet', true]],
    v1: [...kinds['v1']!, ['PersistentVolumeClaim', true]],
  };
  const spec = { volumeClaimTemplates: [{ metadata: { name: 'data' } }] };
  const set = { ...appliedBy('meshwright', object('apps/v1', 'StatefulSet', 'redis', 'shop')), spec };
  const declared = [...ours, set];
  store([...declared, object('v1', 'PersistentVolumeClaim', 'data-redis-0', 'shop')]);
  const rights = rightsOf('down', { objects: declared, clusters: ['east'], makesNamespaces: false });
  const refused = withOnly(rights, {
    ...{ cluster: [], default: ['default'] },
    ...{ mesh: ['shop', 'istio-system'], 'control-plane': ['istio-system'] },
  });
  const lines = await remove();
  const kubectl = `kubectl --kubeconfig ${api.kubeconfig} --context east`;
  const claim = 'PersistentVolumeClaim shop/data-redis-0';
  expect(lines.filter((line) => line.includes(claim))).toEqual([
    `east: ${claim} is kept, with what StatefulSet shop/redis wrote; to delete it and the data for good: ${kubectl} -n shop delete pvc data-redis-0`,
    `east: Namespace shop is kept for what meshwright did not make: ${claim}`,
  ]);
  expect(api.get(set)).toBeUndefined();
  expect(refused.filter((one) => !one.startsWith('list '))).toEqual([]);
  // Where nothing may be listed everywhere, it is in the namespaces of the mesh.
  const here = refused.filter((one) => one.endsWith(' shop'));
  expect(here.filter((one) => /persistent|statefulsets|deployments|services/.test(one))).toEqual([]);
});
