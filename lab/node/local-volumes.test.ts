import { describe, expect, test } from '@jest/globals';
import {
  defaultClass,
  releasedVolumes,
  storageClass,
  volumeFor,
  waitingClaims,
  type Claim,
  type Volume,
} from './local-volumes.ts';

const claim = (spec: object = {}, metadata: object = {}): Claim => ({
  metadata: {
    ...{ name: 'data-redis-0', namespace: 'shop', uid: 'u-1' },
    annotations: { 'volume.kubernetes.io/selected-node': 'east' },
    ...metadata,
  },
  spec: {
    storageClassName: storageClass,
    accessModes: ['ReadWriteOnce'],
    resources: { requests: { storage: '1Gi' } },
    ...spec,
  },
});

test('the volume of a claim is a folder of the node, which nothing but this claim gets', () => {
  expect(volumeFor(claim(), 'east', '/state/volumes')).toEqual({
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: {
      name: 'pvc-u-1',
      annotations: { 'pv.kubernetes.io/provisioned-by': defaultClass.provisioner },
    },
    spec: {
      accessModes: ['ReadWriteOnce'],
      capacity: { storage: '1Gi' },
      claimRef: {
        ...{ apiVersion: 'v1', kind: 'PersistentVolumeClaim' },
        ...{ namespace: 'shop', name: 'data-redis-0', uid: 'u-1' },
      },
      local: { path: '/state/volumes/pvc-u-1' },
      nodeAffinity: {
        required: {
          nodeSelectorTerms: [
            { matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: ['east'] }] },
          ],
        },
      },
      persistentVolumeReclaimPolicy: 'Delete',
      storageClassName: 'local-path',
      volumeMode: 'Filesystem',
    },
  });
});

test('claims that name no class get it, once their first pod has a node', () => {
  expect(defaultClass).toMatchObject({
    metadata: { annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } },
    volumeBindingMode: 'WaitForFirstConsumer',
  });
});

describe('a claim waits', () => {
  test('once its first pod is on the node', () => {
    expect(waitingClaims([claim()], 'east')).toEqual([claim()]);
  });

  test.each([
    [
      'of a pod on another node',
      claim({}, { annotations: { 'volume.kubernetes.io/selected-node': 'west' } }),
    ],
    ['that no pod has asked for', claim({}, { annotations: {} })],
    ['of another class', claim({ storageClassName: 'fast' })],
    ['of no class', claim({ storageClassName: undefined })],
    ['with a volume', claim({ volumeName: 'pvc-u-1' })],
    ['that is being deleted', claim({}, { deletionTimestamp: new Date() })],
  ])('not one %s', (_, one) => {
    expect(waitingClaims([one], 'east')).toEqual([]);
  });
});

test('a volume goes with its claim, and only one that was made here', () => {
  const volume = (phase: string, more: Partial<Volume> = {}): Volume => ({
    ...volumeFor(claim(), 'east', '/state/volumes'),
    status: { phase },
    ...more,
  });
  const released = volume('Released');
  expect(
    releasedVolumes([
      released,
      volume('Bound'),
      volume('Available'),
      volume('Released', { metadata: { name: 'of-others' } }),
      { ...released, spec: { ...released.spec, persistentVolumeReclaimPolicy: 'Retain' } },
    ]),
  ).toEqual([released]);
});
