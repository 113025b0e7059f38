import { expect, test } from '@jest/globals';
import type { PodConfig } from '../../../../apps/config/pod/pod.ts';
import { OrdersService } from '../../../../gen/test/orders/v1/orders_pb.js';
import { image, redisIn, refused } from '../../../testing/foreign.ts';
import { CronJob } from '../../jobs/cron-job.ts';
import { GrpcService } from '../grpc-service.ts';

type Patches = NonNullable<PodConfig['patches']>;

const said = (...patches: Patches) =>
  refused(
    (shop) => new GrpcService(shop, 'cart', { image, service: OrdersService, port: 7070, pod: { patches } }),
  );
const reason = 'we want it';

test.each([
  ['/metadata/finalizers', ['own.example/wait'], 'remove the patch: the Deployment would not go'],
  ['/metadata/ownerReferences', [], 'remove the patch: the Deployment would go with its owner'],
  ['/spec/paused', true, 'remove the patch: no change would get to the pods'],
  [
    '/spec/template/metadata/annotations/checksum~1config',
    '1',
    'remove the patch, or use an annotation of your own name',
  ],
])('%s is not for a patch, with a reason or without', (path, value, fix) => {
  const name = path.slice(1).replaceAll('/', '.').replace('~1', '/');
  for (const more of [{}, { reason }])
    expect(said({ op: 'add', path, value, ...more })).toEqual([
      `demo/shop/cart: pod.patches[0].path: ${name} of Deployment shop/cart is not for a patch, because the mesh knows, rolls out or removes it by that; ` +
        `received "${path}"; fix: ${fix}`,
    ]);
});

const stays = 'what is made from it would not go at its end, and up and down would wait for that in vain';
const ignored = 'Kubernetes takes no notice, and sets the owner itself';
const owner = [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'owner', uid: '1' }];
const waiting = ['own.example/wait'];
const because = (at: string, of: string, what: string, value: object) =>
  `pod.patches[0].path: ${at} of ${of} is not for a patch: ${what}; received ${JSON.stringify(value)}; fix: remove the patch`;

test.each([
  ['finalizers', waiting, stays],
  ['ownerReferences', owner, ignored],
])('nor are %s of pods, said by themselves or with what is above them', (key, value, what) => {
  const path = '/spec/template/metadata';
  const problem = `demo/shop/cart: ${because(`spec.template.metadata.${key}`, 'Deployment shop/cart', what, value)}`;
  for (const more of [{}, { reason }]) {
    expect(said({ op: 'add', path: `${path}/${key}`, value, ...more })).toEqual([problem]);
    const metadata = { labels: { 'app.kubernetes.io/name': 'cart' }, [key]: value };
    expect(said({ op: 'replace', path, value: metadata, ...more })).toEqual([problem]);
  }
});

test('nor are they of a CronJob, its Jobs and their pods', () => {
  const at = ['spec.jobTemplate.metadata', 'spec.jobTemplate.spec.template.metadata'];
  for (const [path, key, value, what] of [
    [at[1]!, 'finalizers', waiting, stays],
    [at[1]!, 'ownerReferences', owner, ignored],
  ] as const) {
    const patches: Patches = [{ op: 'add', path: `/${path.replaceAll('.', '/')}/${key}`, value, reason }];
    const props = { image, placement: ['east'] as const, schedule: '@daily', pod: { patches } };
    expect(refused((shop) => new CronJob(shop, 'report', props))).toEqual([
      `demo/shop/report: ${because(`${path}.${key}`, 'CronJob shop/report', what, value)}`,
    ]);
  }
  const patches: Patches = [
    { op: 'add', path: '/spec/jobTemplate/metadata', value: { finalizers: waiting }, reason },
  ];
  const props = { image, placement: ['east'] as const, schedule: '@daily', pod: { patches } };
  expect(refused((shop) => new CronJob(shop, 'report', props))).toEqual([
    `demo/shop/report: ${because(`${at[0]!}.finalizers`, 'CronJob shop/report', stays, waiting)}`,
  ]);
});

test('nor are owners of the claims of a StatefulSet, with which the data would go', () => {
  const path = 'spec.volumeClaimTemplates.0.metadata.ownerReferences';
  const patches: Patches = [{ op: 'add', path: `/${path.replaceAll('.', '/')}`, value: owner, reason }];
  const stateful = { volumes: { data: { mountPath: '/data', size: '1Gi' } } };
  expect(refused((shop) => redisIn(shop, { stateful, pod: { patches } }))).toEqual([
    `demo/shop/redis: ${because(path, 'StatefulSet shop/redis', 'the claims would go with their owner, and the data', owner)}`,
  ]);
});

test('nor are containers that nobody declared, for debugging either', () => {
  const path = '/spec/template/spec/ephemeralContainers';
  const value = [{ name: 'debug', image: 'registry.example/debug:1.0.0' }];
  expect(said({ op: 'add', path, value, reason })).toEqual([
    'demo/shop/cart: pod.patches[0].path: changes which containers the pods of Deployment shop/cart have, or their images, ' +
      `which the mesh reads from the declaration; received "${path}"; fix: use containers, initContainers or image`,
  ]);
});
