import { expect, test } from '@jest/globals';
import type { PodConfig } from '../../../../apps/config/pod/pod.ts';
import { OrdersService } from '../../../../gen/test/orders/v1/orders_pb.js';
import { image, refused } from '../../../testing/foreign.ts';
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

test('nor are containers that nobody declared, for debugging either', () => {
  const path = '/spec/template/spec/ephemeralContainers';
  const value = [{ name: 'debug', image: 'registry.example/debug:1.0.0' }];
  expect(said({ op: 'add', path, value, reason })).toEqual([
    'demo/shop/cart: pod.patches[0].path: changes which containers the pods of Deployment shop/cart have, or their images, ' +
      `which the mesh reads from the declaration; received "${path}"; fix: use containers, initContainers or image`,
  ]);
});
