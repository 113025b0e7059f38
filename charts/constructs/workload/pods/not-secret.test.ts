import { expect, test } from '@jest/globals';
import type { PodConfig } from '../../../../apps/config/pod/pod.ts';
import { OrdersService } from '../../../../gen/test/orders/v1/orders_pb.js';
import { image, meshWith, refused, type Shop } from '../../../testing/foreign.ts';
import { objectsOf, problemsOf, twoClusters } from '../../../testing/mesh.ts';
import { withProject } from '../../../testing/project.ts';
import { GrpcService } from '../grpc-service.ts';

const declare = (pod: PodConfig) => (shop: Shop) =>
  new GrpcService(shop, 'cart', {
    ...{ image, service: OrdersService, port: 7070 },
    args: ['--csrf-token=X-CSRF', '--name=cart'],
    pod: {
      volumes: { rules: { files: { 'app.conf': 'csrf.token = csrf-of-forms\n' } } },
      mounts: { '/etc/app': 'rules' },
      ...pod,
    },
  });
const reason = 'the name of a header, and of a field';

test('what looks like a secret in arguments and files passes by its path and with a reason; both objects show the path', () => {
  expect(refused(declare({}))).toHaveLength(2);
  expect(refused(declare({ notSecret: { 'cart.args.csrf-token': reason } }))).toEqual([
    expect.stringMatching(
      /^demo\/shop\/cart: ConfigMap shop\/cart-rules-\w+: data app\.conf: csrf\.token has the name of a secret, in plain text; fix: take it from a Secret; if it is not a secret, list data\.app\.conf\.csrf\.token in the annotation meshwright\/not-secret, or of a workload in pod\.notSecret with the reason$/,
    ),
  ]);
  const notSecret = { 'cart.args.csrf-token': reason, 'data.app.conf.csrf.token': reason };
  const noted = objectsOf(meshWith(declare({ notSecret })), 'east', 'shop').flatMap(({ kind, metadata }) => {
    const paths = metadata.annotations?.['meshwright/not-secret'];
    return paths === undefined ? [] : [[kind, paths]];
  });
  expect(noted).toEqual([
    ['Deployment', 'cart.args.csrf-token'],
    ['ConfigMap', 'data.app.conf.csrf.token'],
  ]);
});

test('a path without a reason, or that would end in the list, is refused', () => {
  const said = refused(declare({ notSecret: { 'cart.args.csrf-token': '', 'a, b': reason } }));
  expect(said).toEqual([
    'demo/shop/cart: pod.notSecret.cart.args.csrf-token: wrong value; received ""; allowed why it is not a secret: one line of 1 to 300 characters',
    'demo/shop/cart: pod.notSecret.a, b: wrong value; received "a, b"; allowed reasons by path, as synth tells it: without commas and spaces',
  ]);
});

test('a config.yml gives the same reasons', () => {
  const pod = {
    volumes: { rules: { files: { 'app.conf': 'csrf.token = csrf-of-forms\n' } } },
    mounts: { '/etc/app': 'rules' },
  };
  const saidOf = (notSecret: object) =>
    withProject(
      {
        cart: {
          ...{ services: ['test.orders.v1.OrdersService'], image, port: 7070, replicas: 1 },
          ...{ args: ['--csrf-token=X-CSRF'], pod: { ...pod, ...notSecret } },
        },
      },
      (root) => {
        const mesh = twoClusters(root);
        new GrpcService(mesh.namespace('shop'), 'cart', { app: 'apps/cart', service: OrdersService });
        return problemsOf(mesh);
      },
    );
  expect(saidOf({}).filter((line) => line.includes('in plain text'))).toHaveLength(2);
  const reasons = { 'cart.args.csrf-token': reason, 'data.app.conf.csrf.token': reason };
  expect(saidOf({ notSecret: reasons })).toEqual([]);
});
