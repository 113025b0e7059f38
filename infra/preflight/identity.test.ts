import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { labelManaged } from '../kube/kube-object.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import { KubeApi } from '../testing/kube-api.ts';
import { foreignIdentities, markIdentity, readIdentity, settledIdentity } from './identity.ts';
import type { MeshIdentity } from './identity.ts';

let api: KubeApi;
beforeAll(async () => {
  api = await KubeApi.start('east');
});
afterAll(() => api.stop());
afterEach(() => {
  api.objects.clear();
  api.requests.length = 0;
});

const named = { mesh: 'shop', controlPlaneNamespace: 'istio-system' };
const [one, other] = ['11111111-0000-4000-8000-000000000000', '22222222-0000-4000-8000-000000000000'];
const namespace: KubeObject = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'istio-system' } };
const put = (object: KubeObject) => {
  api.put({ ...object, metadata: { ...object.metadata } });
};
/** istiod's configuration, of a mesh of this name. */
const config = (mesh: string, name = 'istio') =>
  labelManaged(
    {
      ...{ apiVersion: 'v1', kind: 'ConfigMap', data: { mesh } },
      metadata: { name, namespace: 'istio-system', labels: { 'istio.io/rev': 'default' } },
    },
    'shop',
  );
const read = () => readIdentity(api.client, named, undefined);

describe('the identity of a mesh', () => {
  test('is kept on the namespace of its control plane, beside what is rendered of it, and written once', async () => {
    const rendered = labelManaged(namespace, 'shop');
    await api.client.apply(rendered);
    put(config('trustDomain: shop.example'));
    expect(await read()).toEqual({ trustDomain: 'shop.example' });
    const identity = { environment: 'prod', id: one };
    await markIdentity(api.client, identity, named, undefined);
    expect(await read()).toEqual({ ...identity, trustDomain: 'shop.example' });
    await api.client.apply(rendered);
    api.requests.length = 0;
    await markIdentity(api.client, identity, named, undefined);
    expect(await read()).toEqual({ ...identity, trustDomain: 'shop.example' });
    expect(api.requests.filter(({ method }) => method !== 'GET')).toEqual([]);
    expect(api.get(namespace)?.['metadata']).toMatchObject({ labels: rendered.metadata.labels ?? {} });
  });

  test.each<[string, () => void]>([
    ['no namespace', () => undefined],
    [
      'a namespace of others',
      () => {
        put(namespace);
      },
    ],
    [
      'one of another mesh',
      () => {
        put(labelManaged(namespace, 'store'));
      },
    ],
  ])('is none where there is %s, and nothing is written', async (_, prepare) => {
    prepare();
    await markIdentity(api.client, { id: one }, named, undefined);
    expect(await read()).toBeUndefined();
    expect(api.requests.filter(({ method }) => method !== 'GET')).toEqual([]);
  });

  test("has Istio's own trust domain where none is configured, and none of a configuration of others", async () => {
    put(labelManaged(namespace, 'shop'));
    const theirs = config('trustDomain: theirs.example');
    put({ ...theirs, metadata: { ...theirs.metadata, labels: { 'istio.io/rev': 'theirs' } } });
    expect(await read()).toBeUndefined();
    put(config('enableTracing: true', 'istio-canary'));
    expect(await read()).toEqual({ trustDomain: 'cluster.local' });
  });

  test('is none of a namespace that was kept when the mesh was taken down, with its annotations', async () => {
    const annotations = { 'meshwright/mesh-id': one, 'meshwright/environment': 'staging' };
    const kept = labelManaged(namespace, 'shop');
    put({ ...kept, metadata: { ...kept.metadata, annotations } });
    expect(await read()).toBeUndefined();
  });

  test('has the id of a cluster, else the one that is known, else a new one', () => {
    expect(settledIdentity({ east: { id: other } }, { environment: 'prod', id: one })).toEqual({
      ...{ environment: 'prod', id: other },
    });
    expect(settledIdentity({ east: undefined }, { id: one })).toEqual({ id: one });
    expect(settledIdentity({ east: undefined, west: { id: other } }, {})).toEqual({ id: other });
    const drawn = [settledIdentity({}, {}).id, settledIdentity({}, {}).id];
    expect(new Set(drawn).size).toBe(2);
    for (const id of drawn) expect(id).toMatch(/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  });
});

describe('another mesh of the name', () => {
  const expected = { environment: 'staging', trustDomain: 'staging.example', id: one };
  const fix =
    'check which clusters the stack or --context names: two meshes in one cluster need two names; to change the environment or the trust domain of a mesh that is up, take it down first';
  const what =
    'has the control plane of another mesh that is named shop, or of another environment of it: this one would take it over';
  const foreign = { where: 'east: Namespace istio-system', what, fix };

  test.each<[string, MeshIdentity, string, string]>([
    ['another environment', { environment: 'prod' }, 'environment prod', 'environment staging'],
    [
      'another trust domain',
      { environment: 'staging', trustDomain: 'prod.example' },
      'trust domain prod.example',
      'trust domain staging.example',
    ],
    ['another id, where nobody said the environment', { id: other }, `id ${other}`, `id ${one}`],
    [
      'all of these',
      { environment: 'prod', trustDomain: 'prod.example', id: other },
      `environment prod, trust domain prod.example, id ${other}`,
      `environment staging, trust domain staging.example, id ${one}`,
    ],
  ])('is one with %s', (_, live, received, allowed) => {
    expect(foreignIdentities({ east: live, west: expected }, expected, named)).toEqual([
      { ...foreign, received, allowed },
    ]);
    const { id, ...unknown } = expected;
    const told = foreignIdentities({ east: live }, unknown, named);
    // A checkout that knows no id takes a mesh with its environment and trust domain for its own.
    expect(told).toEqual(received.startsWith('id') ? [] : [expect.objectContaining({ what })]);
    expect(id).toBe(one);
  });

  test.each<[string, MeshIdentity, Partial<MeshIdentity>, boolean]>([
    ['of the same trust domain may be this one renamed', { trustDomain: 'staging.example' }, {}, true],
    ['of another trust domain is not', { trustDomain: 'prod.example' }, {}, false],
    ['with another id is not', { trustDomain: 'staging.example', id: other }, { id: one }, false],
  ])('an environment of another name %s, and how is said', (_, live, known, isTold) => {
    const { environment, trustDomain } = expected;
    const problems = foreignIdentities(
      { east: { ...live, environment: 'lab' } },
      { environment, trustDomain, ...known },
      named,
    );
    const how =
      '; if it is the same mesh, whose environment was renamed: `kubectl annotate namespace istio-system meshwright/environment=staging --overwrite` in each cluster';
    expect(problems.map((problem) => problem.fix)).toEqual([isTold ? `${fix}${how}` : fix]);
  });

  test.each<[string, MeshIdentity | undefined]>([
    ['nothing is up', undefined],
    ['an earlier version marked nothing', {}],
    ['an earlier version left the trust domain alone', { trustDomain: 'staging.example' }],
    ['it is this one', expected],
    ['it was taken down, and brought up again from another checkout', { ...expected, id: other }],
    [
      'it is this one, which contexts alone brought up before it had a stack',
      { ...expected, environment: 'lab' },
    ],
  ])('is none where %s', (_, live) => {
    expect(foreignIdentities({ east: live }, expected, named)).toEqual([]);
  });

  test('is told apart from this one with another trust domain', () => {
    expect(foreignIdentities({ east: { ...expected, trustDomain: 'old.example' } }, expected, named)).toEqual(
      [
        {
          where: 'east: Namespace istio-system',
          what: 'the mesh is up with another trust domain: proxies with the one and with the other would refuse each other',
          received: 'staging.example',
          allowed: 'old.example',
          fix: "declare trustDomain: 'old.example', or take the mesh down first",
        },
      ],
    );
  });

  test('is one of two in clusters that have different ones', () => {
    const live = { east: { id: one }, west: { id: other }, north: undefined };
    expect(foreignIdentities(live, { environment: 'staging' }, named)).toEqual([
      {
        where: 'clusters east, west',
        what: 'have control planes of different meshes that are named shop: this one would take all of them over',
        received: `east: ${one}, west: ${other}`,
        fix,
      },
    ]);
  });
});
