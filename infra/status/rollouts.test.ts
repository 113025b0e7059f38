import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { KubeApi } from '../testing/kube-api.ts';
import { deploymentOf, podOf, replicaSetOf, waiting } from '../testing/pods.ts';
import { unfinishedRollouts } from './rollouts.ts';

let api: KubeApi;
beforeAll(async () => {
  api = await KubeApi.start('east');
});
afterAll(() => api.stop());
afterEach(() => {
  api.objects.clear();
  api.intervene = () => undefined;
});

const stuck = deploymentOf('catalog', { replicas: 2, availableReplicas: 1, readyReplicas: 1 });
const of = {
  cluster: 'east',
  object: 'Deployment shop/catalog',
  missing: 'replicas of the previous version still run',
};

describe('unfinishedRollouts', () => {
  test('leaves out what has arrived, and what does not exist', async () => {
    const arrived = deploymentOf('orders', { availableReplicas: 1 });
    expect(await unfinishedRollouts(api.client, [undefined, arrived])).toEqual([]);
  });

  test('says why the newest pods do not start; those of earlier changes say nothing', async () => {
    const pod = (replicaSet: string, name: string, message: string) => {
      const containerStatuses = [waiting('catalog', 'ErrImagePull', message)];
      api.put(podOf(replicaSet, { status: { containerStatuses } }, name));
    };
    api.put(replicaSetOf('catalog', 9, 'rs-9'));
    api.put(replicaSetOf('catalog', 10, 'rs-10'));
    pod('rs-9', 'catalog-9', 'old');
    pod('rs-10', 'catalog-10', 'manifest unknown');
    expect(await unfinishedRollouts(api.client, [stuck])).toEqual([
      {
        ...of,
        because:
          'container catalog of Pod shop/catalog-10 cannot pull its image: ErrImagePull: manifest unknown',
      },
    ]);
  });

  test('looks at a StatefulSet as its controller counts', async () => {
    const set = {
      ...deploymentOf('redis', { updatedReplicas: 0, availableReplicas: 1 }),
      kind: 'StatefulSet',
    };
    expect(await unfinishedRollouts(api.client, [set])).toEqual([
      {
        ...{ cluster: 'east', object: 'StatefulSet shop/redis', because: null },
        missing: '0 of 1 replicas updated',
      },
    ]);
    const arrived = { ...set, status: { ...set.status, updatedReplicas: 1 } };
    expect(await unfinishedRollouts(api.client, [arrived])).toEqual([]);
  });

  test('does without the pods of a change that its controller has not seen, or that may not be listed', async () => {
    const unseen = { ...stuck, metadata: { ...stuck.metadata, generation: 2 } };
    expect(await unfinishedRollouts(api.client, [unseen])).toEqual([
      { ...of, missing: 'its controller has not seen the change yet', because: null },
    ]);
    api.intervene = ({ path }) =>
      path.endsWith('/pods') ? { status: 403, body: { message: 'pods is forbidden' } } : undefined;
    expect(await unfinishedRollouts(api.client, [stuck])).toEqual([
      {
        ...of,
        because:
          'its pods cannot be read: cluster east: its API server refused GET /api/v1/namespaces/shop/pods: pods is forbidden',
      },
    ]);
  });
});
