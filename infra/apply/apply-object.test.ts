import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { applyObject, applyObjects, yieldToIstiod } from './apply-object.ts';
import { labelManaged } from '../kube/kube-object.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import { KubeApi } from '../testing/kube-api.ts';
import { problemOf } from '../testing/problems.ts';

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

const service = (spec: object = { type: 'ClusterIP' }): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'catalog', namespace: 'shop' },
  spec,
});

describe('applyObject', () => {
  test('tells created, unchanged and changed apart', async () => {
    expect(await applyObject(api.client, service())).toBe('created');
    expect(await applyObject(api.client, service())).toBe('unchanged');
    expect(await applyObject(api.client, service({ type: 'LoadBalancer' }))).toBe('changed');
  });

  test('applies with the field manager and force, and exactly the fields it was given', async () => {
    await applyObject(api.client, service({ unknownToAnyClient: { deep: 1 } }));
    const patch = api.requests.find(({ method }) => method === 'PATCH');
    expect(patch).toMatchObject({
      path: '/api/v1/namespaces/shop/services/catalog',
      query: { fieldManager: 'meshwright', force: 'true' },
      body: service({ unknownToAnyClient: { deep: 1 } }),
    });
  });

  test("what was restored from a backup is the mesh's again: its mark goes, the labels of others stay", async () => {
    await applyObject(api.client, service());
    const { metadata, ...stored } = api.get(service()) as unknown as KubeObject;
    const managedFields = metadata as unknown as { readonly managedFields: readonly object[] };
    const velero = {
      ...{ manager: 'velero-server', operation: 'Update', apiVersion: 'v1' },
      fieldsV1: { 'f:metadata': { 'f:labels': { 'f:velero.io/restore-name': {} } } },
    };
    api.put({
      ...stored,
      metadata: {
        ...metadata,
        labels: { 'velero.io/restore-name': 'nightly', team: 'shops' },
        managedFields: [...managedFields.managedFields, velero],
      } as object as KubeObject['metadata'],
    });
    expect(await applyObject(api.client, service())).toBe('changed');
    expect((api.get(service()) as unknown as KubeObject).metadata.labels).toEqual({ team: 'shops' });
    expect(await applyObject(api.client, service())).toBe('unchanged');
  });

  test('a status written by a controller in the meantime is no change of ours', async () => {
    await applyObject(api.client, service());
    const stored = api.get(service()) as Record<string, unknown> & KubeObject;
    api.intervene = ({ method }) => {
      if (method === 'PATCH')
        api.put({ ...stored, metadata: { ...stored.metadata }, status: { loadBalancer: {} } });
      return undefined;
    };
    expect(await applyObject(api.client, service())).toBe('unchanged');
  });

  test('waits for an object that is being deleted before making it again', async () => {
    api.put({
      ...service(),
      metadata: { name: 'catalog', namespace: 'shop', deletionTimestamp: '2030-01-01T00:00:00Z' },
    });
    setTimeout(() => {
      api.objects.clear();
    }, 300);
    expect(await applyObject(api.client, service())).toBe('created');
  });

  test("replaces a network's gateway Service whose type changes, and no other", async () => {
    const gateway = (type: string): KubeObject => ({
      ...service({ type }),
      metadata: { ...service().metadata, labels: { 'topology.istio.io/network': 'net-east' } },
    });
    const methods = () => api.requests.map(({ method }) => method).filter((method) => method !== 'GET');
    await applyObject(api.client, gateway('LoadBalancer'));
    expect(await applyObject(api.client, gateway('LoadBalancer'))).toBe('unchanged');
    api.requests.length = 0;
    expect(await applyObject(api.client, gateway('NodePort'))).toBe('changed');
    expect(methods()).toEqual(['DELETE', 'PATCH']);
    api.requests.length = 0;
    await applyObject(api.client, service());
    expect(await applyObject(api.client, service({ type: 'NodePort' }))).toBe('changed');
    expect(methods()).not.toContain('DELETE');
  });

  const applied = { managedFields: [{ manager: 'meshwright', operation: 'Apply' }] };
  const labels = (mesh: string) => ({
    'app.kubernetes.io/managed-by': 'meshwright',
    'app.kubernetes.io/part-of': mesh,
  });
  test.each([
    ['of others', { labels: { owner: 'team-l' } }],
    ['that others applied', { managedFields: [{ manager: 'kubectl', operation: 'Apply' }] }],
    ['that others wrote as us', { managedFields: [{ manager: 'meshwright', operation: 'Update' }] }],
    ['of another mesh', { labels: labels('store'), ...applied }],
  ])('refuses a live object %s, and changes nothing of it', async (_, metadata) => {
    api.put({
      ...service({ type: 'NodePort' }),
      metadata: { name: 'catalog', namespace: 'shop', ...metadata },
    });
    expect(await problemOf(applyObject(api.client, labelManaged(service(), 'shop')))).toEqual({
      exitCode: 1,
      message:
        'east: Service shop/catalog: not applied: it exists already, and belongs to others, who made it after the checks; fix: run this again: the checks then say what can be done about it',
    });
    expect(api.requests.filter(({ method }) => method !== 'GET')).toEqual([]);
  });

  test.each([
    ['with the labels of the mesh, whoever wrote it', { labels: labels('shop') }],
    ['that we applied, and whose labels somebody took off', applied],
  ])('takes a live object %s', async (_, metadata) => {
    api.put({
      ...service({ type: 'NodePort' }),
      metadata: { name: 'catalog', namespace: 'shop', ...metadata },
    });
    expect(await applyObject(api.client, labelManaged(service(), 'shop'))).toBe('changed');
  });

  test('names the object that the server refuses, and what it said', async () => {
    api.intervene = ({ method }) =>
      method === 'PATCH'
        ? { status: 422, body: { message: 'spec.type: Unsupported value: "Nowhere"' } }
        : undefined;
    expect(await problemOf(applyObject(api.client, service({ type: 'Nowhere' })))).toEqual({
      exitCode: 1,
      message: 'east: Service shop/catalog: not applied: spec.type: Unsupported value: "Nowhere"',
    });
  });
});

test('applyObjects applies namespaces before what is in them, whatever the order given', async () => {
  const namespace: KubeObject = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } };
  const applied = await applyObjects(api.client, [service(), namespace]);
  expect(applied.map(({ object, outcome }) => [object.kind, outcome])).toEqual([
    ['Namespace', 'created'],
    ['Service', 'created'],
  ]);
});

describe('yieldToIstiod', () => {
  const configuration = (...policies: readonly string[]): KubeObject => ({
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingWebhookConfiguration',
    metadata: { name: 'istio' },
    webhooks: policies.map((failurePolicy, index) => ({
      name: `hook-${index}`,
      failurePolicy,
      sideEffects: 'None',
    })),
  });

  test('leaves out a failure policy that istiod has changed, and only that', () => {
    expect(yieldToIstiod(configuration('Ignore', 'Ignore'), configuration('Fail', 'Ignore'))).toEqual({
      ...configuration(),
      webhooks: [
        { name: 'hook-0', sideEffects: 'None' },
        { name: 'hook-1', failurePolicy: 'Ignore', sideEffects: 'None' },
      ],
    });
  });

  test('leaves webhooks that are new, and objects of other kinds, as they are', () => {
    expect(yieldToIstiod(configuration('Ignore'), configuration())).toEqual(configuration('Ignore'));
    expect(yieldToIstiod(service(), service({}))).toBeDefined();
    expect(yieldToIstiod(service(), configuration('Fail'))).toEqual(service());
  });
});
