import { expect, test } from '@jest/globals';
import { OrdersService } from '../gen/test/orders/v1/orders_pb.js';
import { OwnObject } from './constructs/scope/own-object.ts';
import { GrpcService } from './constructs/workload/grpc-service.ts';
import { exceptionLines, exceptionsIn } from './exceptions.ts';
import { declareCart, image, meshWith } from './testing/foreign.ts';

const root = '/spec/template/spec/containers/0/securityContext/readOnlyRootFilesystem';

test('synth counts what is undone with a reason, and says where and why', () => {
  const found = exceptionsIn(
    meshWith((shop) => {
      declareCart(shop);
      new GrpcService(shop, 'agent', {
        ...{ image, service: OrdersService, port: 7070 },
        pod: { patches: [{ op: 'remove', path: root, reason: 'it writes its licence' }] },
        clusters: {
          west: {
            patches: [
              { op: 'replace', path: '/spec/strategy', value: { type: 'Recreate' }, reason: 'one at a time' },
            ],
          },
        },
      });
    }),
  );
  expect(exceptionLines('lab', found)).toEqual([
    'lab: 2 guarantees are undone, with a reason:',
    '  Deployment shop/agent in east, west: read-only-root: it writes its licence',
    '  Deployment shop/agent in west: no-lost-calls: one at a time',
  ]);
  expect(exceptionLines('lab', found.slice(0, 1))[0]).toBe('lab: 1 guarantee is undone, with a reason:');
});

test('of a mesh without such reasons it says nothing, whatever its gateways have', () => {
  expect(exceptionLines('lab', exceptionsIn(meshWith(declareCart)))).toEqual([]);
});

test('an exception in a stage of the mesh’s own is told as well', () => {
  const found = exceptionsIn(
    meshWith((shop) => {
      declareCart(shop);
      const metadata = { annotations: { 'meshwright/accept-least-rights': 'the installer needs it' } };
      const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' };
      const object = {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'ClusterRoleBinding',
        metadata,
        roleRef,
      };
      new OwnObject(shop.mesh, 'installer', { object, stage: '10-control-plane' });
    }),
  );
  expect(exceptionLines('lab', found)).toEqual([
    'lab: 1 guarantee is undone, with a reason:',
    '  ClusterRoleBinding installer in east, west: least-rights: the installer needs it',
  ]);
});
