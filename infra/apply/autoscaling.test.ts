import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { applyObject } from './apply-object.ts';
import { raiseToMinimum } from './autoscaling.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import { KubeApi } from '../testing/kube-api.ts';

let api: KubeApi;
beforeAll(async () => {
  api = await KubeApi.start('east');
});
afterAll(() => api.stop());
afterEach(() => {
  api.objects.clear();
  api.requests.length = 0;
});

const deployment = (spec: object, managedFields: readonly object[] = []): KubeObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'catalog', namespace: 'shop', ...(managedFields.length > 0 && { managedFields }) },
  spec,
});
const owner = (manager: string, fields: object) => ({
  manager,
  operation: 'Apply',
  fieldsV1: { 'f:spec': fields },
});
const patches = () =>
  api.requests
    .filter(({ method }) => method === 'PATCH')
    .map(({ path, query, body }) => [path.split('/').slice(6).join('/'), query['fieldManager'], body]);

test('replicas that leave the declaration are handed over before they are given up', async () => {
  api.put({ ...deployment({ replicas: 4 }, [owner('meshwright', { 'f:replicas': {} })]) });
  await applyObject(api.client, deployment({ paused: false }));
  expect(patches()).toEqual([
    ['deployments/catalog', 'meshwright-autoscaling', deployment({ replicas: 4 })],
    ['deployments/catalog', 'meshwright', deployment({ paused: false })],
  ]);
});

test.each([
  ['is still declared', { replicas: 2 }, owner('meshwright', { 'f:replicas': {} })],
  ['was not ours', { paused: false }, owner('meshwright', { 'f:template': {} })],
  ["is somebody else's", { paused: false }, owner('kubectl', { 'f:replicas': {} })],
])('a number of replicas that %s is left where it is', async (_, spec, managed) => {
  api.put({ ...deployment({ replicas: 4 }, [managed, owner('meshwright', { 'f:strategy': {} })]) });
  await applyObject(api.client, deployment(spec));
  expect(patches()).toEqual([['deployments/catalog', 'meshwright', deployment(spec)]]);
});

const autoscaler: KubeObject = {
  apiVersion: 'autoscaling/v2',
  kind: 'HorizontalPodAutoscaler',
  metadata: { name: 'catalog', namespace: 'shop' },
  spec: { scaleTargetRef: { kind: 'Deployment', name: 'catalog' }, minReplicas: 2, maxReplicas: 6 },
};

test.each([
  ['a new one', 1, [['deployments/catalog/scale', 'meshwright-autoscaling', { spec: { replicas: 2 } }]]],
  [
    'one scaled to none',
    0,
    [['deployments/catalog/scale', 'meshwright-autoscaling', { spec: { replicas: 2 } }]],
  ],
  ['one that has enough', 5, []],
])('brings %s to the minimum: %i pods', async (_, replicas, expected) => {
  api.put({ ...deployment({ replicas }) });
  await raiseToMinimum(api.client, [deployment({}), autoscaler]);
  expect(patches()).toEqual(expected);
});
