import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { kinds } from '../testing/api-kinds.ts';
import { Awaited } from '../testing/awaited.ts';
import { podOf, waiting } from '../testing/pods.ts';
import { problemOf } from '../testing/problems.ts';

let east: Awaited;
beforeAll(async () => {
  east = await Awaited.start();
});
afterAll(() => east.api.stop());
beforeEach(() => {
  east.api.kinds = { ...kinds, 'apps/v1': [...(kinds['apps/v1'] ?? []), ['StatefulSet', true]] };
});
afterEach(() => {
  east.reset();
  east.api.kinds = kinds;
});

const about = 'east: StatefulSet shop/redis';
const set = (status: object = {}, podManagementPolicy = 'OrderedReady') => ({
  apiVersion: 'apps/v1',
  kind: 'StatefulSet',
  metadata: { name: 'redis', namespace: 'shop', uid: 'uid-redis', generation: 1 },
  spec: { replicas: 2, podManagementPolicy, selector: { matchLabels: { app: 'catalog' } } },
  status: { observedGeneration: 1, updateRevision: 'new', replicas: 2, updatedReplicas: 1, ...status },
});

/** Stores a pod of the set that is of a change, and in trouble or not. */
function put(ordinal: number, revision: string, because?: string): void {
  const containerStatuses = because === undefined ? [] : [waiting('redis', 'ErrImagePull', because)];
  const pod = podOf('uid-redis', { status: { containerStatuses } }, `redis-${ordinal}`);
  const labels = { ...pod.metadata.labels, 'controller-revision-hash': revision };
  east.api.put({ ...pod, metadata: { ...pod.metadata, labels } });
}

test('a pod of the last change that cannot heal ends the wait', async () => {
  east.api.put(set());
  put(0, 'old');
  put(1, 'new', 'manifest unknown');
  expect(await problemOf(east.wait([set()]))).toEqual({
    exitCode: 1,
    message:
      `${about}: does not get ready: container redis of Pod shop/redis-1 cannot pull its image: ErrImagePull: manifest unknown; ` +
      'fix: use an image that exists in the registry, and set imagePullSecrets if it is private, ' +
      `then run the command again; to see more: \`${east.kubectl} describe pod redis-1\``,
  });
  expect(east.lines[0]).toBe(`${about} with all pods ready: waiting, 1 of 2 replicas updated`);
});

test('a pod of an earlier change that its controller waits for is told, with what gets it out of the way', async () => {
  east.api.put(set({ updatedReplicas: 0 }));
  put(0, 'old', 'manifest unknown');
  expect(await problemOf(east.wait([set()], { hardly: 0 }))).toEqual({
    exitCode: 1,
    message:
      `${about}: does not get ready: container redis of Pod shop/redis-0 cannot pull its image: ErrImagePull: manifest unknown; ` +
      'it is of an earlier change, and nothing replaces it as long as it is not ready; ' +
      `fix: delete the pod, which comes back as it is declared now: \`${east.kubectl} delete pod redis-0\`, ` +
      `then run the command again; to see more: \`${east.kubectl} describe pod redis-0\``,
  });
});

test('one that is replaced all the same, as pods need not wait for each other, says nothing', async () => {
  const live = set({ updatedReplicas: 0 }, 'Parallel');
  east.api.put(live);
  put(0, 'old', 'manifest unknown');
  const ready = set({ updatedReplicas: 2, availableReplicas: 2 }, 'Parallel');
  setTimeout(() => {
    east.api.put(ready);
  }, 700);
  await east.wait([live], { hardly: 0 });
  expect(east.lines).toEqual([`${about} with all pods ready: waiting, 0 of 2 replicas updated`]);
});

test('pods that cannot be made are told by the last event of the set, unless it is of before', async () => {
  const message =
    'create Pod redis-0 in StatefulSet redis failed: admission webhook "deny" denied the request: no';
  const involved = { involvedObject: { uid: 'uid-redis', fieldPath: '' } };
  const live = set({ replicas: 0, updatedReplicas: 0 });
  east.api.put(live);
  east.warn('FailedCreate', message, involved);
  expect(await problemOf(east.wait([live], { hardly: 0 }))).toEqual({
    exitCode: 1,
    message:
      `${about}: does not get ready: it gets no pods: ${message}; ` +
      `fix: declare pods that the cluster admits, then run the command again; to see more: \`${east.kubectl} describe statefulset redis\``,
  });
  east.lines = [];
  east.warn('FailedCreate', message, { ...involved, lastTimestamp: '2020-01-01T00:00:00Z' });
  setTimeout(() => {
    east.api.put(set({ updatedReplicas: 2, availableReplicas: 2 }));
  }, 700);
  await east.wait([live], { hardly: 0 });
  expect(east.lines).toEqual([`${about} with all pods ready: waiting, 0 of 2 replicas updated`]);
});
