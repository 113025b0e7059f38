import { describe, expect, test } from '@jest/globals';
import { OrdersService } from '../../../gen/test/orders/v1/orders_pb.js';
import type { PodConfig } from '../../../apps/config/pod/pod.ts';
import { GrpcService } from '../../constructs/workload/grpc-service.ts';
import type { KubernetesObject } from '../../model/mesh-model.ts';
import { image, refused } from '../../testing/foreign.ts';
import { objectOf, renderedOf } from '../../testing/rendered.ts';
import { containerLists } from './container-lists.ts';

const patched = (patches: NonNullable<PodConfig['patches']>) =>
  refused(
    (shop) =>
      new GrpcService(shop, 'cart', {
        ...{ image, service: OrdersService, port: 7070, env: { PAGES: '5' } },
        pod: { patches },
      }),
  );
const own = '/spec/template/spec/containers/0';
const say = 'fix: say it once: replace the entry that is there, or remove it';

describe('a patch', () => {
  test('that adds a variable which is there leaves no two of them', () => {
    const value = { name: 'PAGES', value: '6' };
    expect(patched([{ op: 'add', path: `${own}/env/-`, value }])).toEqual([
      `demo/shop/cart: Deployment shop/cart: containers[cart].env has an entry twice; received "PAGES"; ${say}`,
    ]);
    expect(patched([{ op: 'add', path: `${own}/env/-`, value: { name: 'MORE', value: '6' } }])).toEqual([]);
  });

  test('that renames a port which a Service names takes it from no one', () => {
    const fix = 'fix: name a port of the container, or give the port that name';
    const found = patched([{ op: 'replace', path: `${own}/ports/0/name`, value: 'mine' }]);
    expect(found).toEqual([
      `demo/shop/cart: Service shop/cart: targetPort of port 7070, in Deployment shop/cart, names a port that is not there; received "grpc"; allowed mine; ${fix}`,
    ]);
  });
});

const pods = (container: object, more: object = {}) =>
  objectOf('apps/v1', 'Deployment', {
    template: {
      metadata: { labels: { app: 'one' } },
      spec: { containers: [{ name: 'app', ...container }], ...more },
    },
  });
const found = (...objects: readonly KubernetesObject[]) =>
  containerLists(renderedOf(objects)).map(({ what, received }) => [what, received]);

test('what Kubernetes refuses with the pods, and not with their Deployment', () => {
  const mount = (name: string) => ({ name, mountPath: '/data' });
  const container = {
    ports: [
      { name: 'http', containerPort: 1 },
      { name: 'http', containerPort: 2 },
      { containerPort: 3 },
      { containerPort: 4 },
    ],
    volumeMounts: [mount('a'), mount('b')],
  };
  expect(found(pods(container, { volumes: [{ name: 'a' }, { name: 'b' }, { name: 'a' }] }))).toEqual([
    ['Deployment shop/one: volumes has an entry twice', 'a'],
    ['Deployment shop/one: containers[app].ports has an entry twice', 'http'],
    ['Deployment shop/one: containers[app].volumeMounts has an entry twice', '/data'],
  ]);
});

test.each([
  ['livenessProbe', { livenessProbe: { httpGet: { port: 'web' } } }, 'livenessProbe.httpGet.port'],
  ['startupProbe', { startupProbe: { tcpSocket: { port: 'web' } } }, 'startupProbe.tcpSocket.port'],
  ['preStop', { lifecycle: { preStop: { httpGet: { port: 'web' } } } }, 'lifecycle.preStop.httpGet.port'],
])('a port that %s names is one of its container', (_, asks, place) => {
  const none = [[`Deployment shop/one: containers[app].${place}, names a port that is not there`, 'web']];
  expect(found(pods(asks))).toEqual(none);
  expect(found(pods({ ...asks, ports: [{ name: 'http', containerPort: 1 }] }))).toEqual(none);
  expect(found(pods({ ...asks, ports: [{ name: 'web', containerPort: 1 }] }))).toEqual([]);
});

test('a Service finds its port in one of its pods, and only in those', () => {
  const service = (targetPort: unknown, selector: object = { app: 'one' }) =>
    objectOf('v1', 'Service', { selector, ports: [{ port: 80, targetPort }] });
  const web = pods({ ports: [{ name: 'web', containerPort: 1 }] });
  expect(found(web, service('web'))).toEqual([]);
  expect(found(web, service(8080))).toEqual([]);
  expect(found(web, service('http-envoy-prom'))).toEqual([]);
  expect(found(web, service('other', {}))).toEqual([]);
  expect(found(web, pods({}), service('web'))).toEqual([]);
  expect(found(pods({}), service('web'))).toEqual([
    [
      'Service shop/one: targetPort of port 80, in Deployment shop/one, names a port that is not there',
      'web',
    ],
  ]);
});
