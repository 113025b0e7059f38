import { expect, test } from '@jest/globals';
import type { PodConfig } from '../../../apps/config/pod/pod.ts';
import { redisIn, refused } from '../../testing/foreign.ts';

type Patches = NonNullable<PodConfig['patches']>;

/** What synth says of a redis with a volume and these patches. */
const patched = (patches: Patches) =>
  refused((shop) =>
    redisIn(shop, { stateful: { volumes: { data: { mountPath: '/data', size: '1Gi' } } }, pod: { patches } }),
  );
const policy = '/spec/persistentVolumeClaimRetentionPolicy';
const template = '/spec/volumeClaimTemplates/0';
const pod = '/spec/template/spec';
const mount = `${pod}/containers/0/volumeMounts/0`;
const byHand = 'remove the patch, and delete claims by hand';
const leave = 'leave it as it is';
const deletes = (key: string, occasion: string) =>
  `spec.persistentVolumeClaimRetentionPolicy.${key} deletes claims, with the data, when ${occasion}; received "Delete"; fix: ${byHand}`;

test.each<[string, string, Patches[number]]>([
  [
    'claims that go with the StatefulSet',
    deletes('whenDeleted', 'the StatefulSet goes'),
    { op: 'replace', path: `${policy}/whenDeleted`, value: 'Delete' },
  ],
  [
    'claims that go with pods',
    deletes('whenScaled', 'there are fewer pods'),
    { op: 'replace', path: policy, value: { whenScaled: 'Delete' } },
  ],
  [
    'pods without their claim',
    `spec.volumeClaimTemplates has no data any more: pods begin with nothing of what they wrote, and lose what they write; received []; fix: ${leave}`,
    { op: 'remove', path: template },
  ],
  [
    'a container without it',
    `containers[redis]: the mount of the claim data at /data is changed; fix: ${leave}`,
    { op: 'remove', path: mount },
  ],
  [
    'a part of it',
    `containers[redis]: the mount of the claim data at /data is changed: subPath; received "other"; fix: ${leave}`,
    { op: 'add', path: `${mount}/subPath`, value: 'other' },
  ],
])('a patch that makes a StatefulSet lose data needs a reason: %s', (_, what, patch) => {
  expect(patched([patch])).toContain(
    `demo/shop/redis: pod.patches[0]: undoes keeps-data of StatefulSet shop/redis: ${what}; or, if it has to be so, give the patch a reason`,
  );
  const reasoned = patched([{ ...patch, reason: 'a cache, which is filled again' }]);
  expect(reasoned.filter((line) => line.includes('keeps-data'))).toEqual([]);
});

test('an emptyDir in the place of a claim is told once', () => {
  const patches: Patches = [
    { op: 'add', path: `${pod}/volumes`, value: [{ name: 'data', emptyDir: {} }] },
    { op: 'remove', path: '/spec/volumeClaimTemplates' },
  ];
  expect(patched(patches)).toEqual([
    'demo/shop/redis: pod.patches[1]: undoes keeps-data of StatefulSet shop/redis: spec.volumeClaimTemplates has no data any more: ' +
      `pods begin with nothing of what they wrote, and lose what they write; received []; fix: ${leave}; or, if it has to be so, give the patch a reason`,
  ]);
});

test('what keeps the data is for a patch as before', () => {
  expect(
    patched([
      { op: 'remove', path: policy },
      { op: 'add', path: `${template}/spec/volumeMode`, value: 'Filesystem' },
    ]),
  ).toEqual([]);
});
