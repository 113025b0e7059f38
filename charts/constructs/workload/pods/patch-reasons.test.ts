import { describe, expect, test } from '@jest/globals';
import { OrdersService } from '../../../../gen/test/orders/v1/orders_pb.js';
import type { PodConfig } from '../../../../apps/config/pod/pod.ts';
import { image, refused } from '../../../testing/foreign.ts';
import { problemsOf, twoClusters } from '../../../testing/mesh.ts';
import { withProject } from '../../../testing/project.ts';
import { GrpcService } from '../grpc-service.ts';

const pod = '/spec/template/spec';
const own = `${pod}/containers/0`;
const context = `${own}/securityContext`;
const why = 'demo/shop/cart: pod.patches[0]';
const leave = 'leave it as it is';

/** What synth says of a service in a namespace of a lower level. */
const alone = (patches: NonNullable<PodConfig['patches']>): readonly string[] =>
  withProject({}, (root) => {
    const mesh = twoClusters(root);
    const shop = mesh.namespace('shop', { podSecurity: { level: 'privileged', reason: 'a driver of ours' } });
    new GrpcService(shop, 'cart', { image, service: OrdersService, port: 7070, pod: { patches } });
    return problemsOf(mesh);
  });

describe('a reason', () => {
  const besideGateway = (
    patches: NonNullable<PodConfig['patches']>,
    kubernetesApi?: PodConfig['kubernetesApi'],
  ) =>
    refused(
      (shop) =>
        new GrpcService(shop, 'cart', {
          image,
          service: OrdersService,
          port: 7070,
          httpGateway: true,
          pod: { patches, ...(kubernetesApi && { kubernetesApi }) },
        }),
    );
  const reasonless = `fix: ${leave}; or, if it has to be so, give the patch a reason`;

  test('by changing the HTTP gateway beside it, which keeps claims of tokens apart, needs a reason, too', () => {
    const value = { name: 'REFUSED_METADATA', value: '' };
    expect(besideGateway([{ op: 'add', path: `${pod}/containers/1/env/-`, value }])).toEqual([
      `${why}: undoes own-gateway of Deployment shop/cart: containers[http-gateway], which is the HTTP gateway, is changed: env.10; ` +
        `received {"name":"REFUSED_METADATA","value":""}; ${reasonless}`,
    ]);
  });

  test('and by changing what that reads', () => {
    const path = `${pod}/volumes/0/configMap/name`;
    expect(besideGateway([{ op: 'replace', path, value: 'mine' }])).toEqual([
      expect.stringMatching(
        /^demo\/shop\/cart: pod\.patches\[0\]: undoes own-gateway of Deployment shop\/cart: volumes\[[^\]]+\], which the HTTP gateway reads, is changed: configMap\.name; received "mine";/,
      ),
    ]);
  });

  test('by giving a container beside it the token for the Kubernetes API, needs a reason, too', () => {
    const rules = [{ resources: ['pods'], verbs: ['list'] }];
    const value = { name: 'kubernetes-api', mountPath: '/run/token', readOnly: true };
    const found = besideGateway([{ op: 'add', path: `${pod}/containers/1/volumeMounts/-`, value }], {
      rules,
    });
    expect(found).toContain(
      `${why}: undoes own-identity of Deployment shop/cart: a container mounts the token of the service account that another one has; ` +
        'received "containers[http-gateway] mounts kubernetes-api"; fix: use kubernetesApi, for the service’s own container; or, if it has to be so, give the patch a reason',
    );
  });

  test.each<[string, readonly [string, string], readonly unknown[]]>([
    [
      'of the HTTP gateway',
      [`${pod}/containers/1/resources/limits/memory`, `${pod}/containers/1/env/0/value`],
      ['256Mi', 'x'],
    ],
    [
      'of a probe',
      [`${own}/readinessProbe/periodSeconds`, `${own}/readinessProbe/failureThreshold`],
      [77, 78],
    ],
  ])('two changes %s need two reasons, and take them: one excuses nothing else', (_, paths, values) => {
    const patches = (...reasons: readonly (string | undefined)[]) =>
      paths.map((path, index) => ({
        ...{ op: 'replace' as const, path, value: values[index] },
        ...(reasons[index] !== undefined && { reason: reasons[index] }),
      }));
    const probe = { readiness: { http: { port: 7070, path: '/ready' } } };
    const synthesized = (given: NonNullable<PodConfig['patches']>) =>
      refused(
        (shop) =>
          new GrpcService(shop, 'cart', {
            ...{ image, service: OrdersService, port: 7070, httpGateway: true },
            pod: { patches: given },
            ...(paths[0].includes('readinessProbe') && { probes: probe as never }),
          }),
      );
    expect(synthesized(patches('first', undefined))).toEqual([
      expect.stringMatching(/^demo\/shop\/cart: pod\.patches\[1\]: undoes /),
    ]);
    expect(synthesized(patches(undefined, 'second'))).toEqual([
      expect.stringMatching(/^demo\/shop\/cart: pod\.patches\[0\]: undoes /),
    ]);
    expect(synthesized(patches('first', 'second'))).toEqual([]);
  });

  test('what a container says no more for the level restricted needs a reason each', () => {
    const patches = ['capabilities', 'allowPrivilegeEscalation'].map((key) => ({
      ...{ op: 'remove' as const, path: `${context}/${key}`, reason: `an old ${key}` },
    }));
    expect(alone(patches)).toEqual([]);
    const { reason, ...without } = patches[1]!;
    expect(reason).toBeDefined();
    expect(alone([patches[0]!, without])).toEqual([
      `demo/shop/cart: pod.patches[1]: undoes pod-security of Deployment shop/cart: containers[cart].securityContext lacks what the level restricted asks for: allowPrivilegeEscalation: false; ${reasonless}`,
    ]);
  });
});
