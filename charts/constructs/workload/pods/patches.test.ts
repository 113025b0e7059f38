import { describe, expect, test } from '@jest/globals';
import { OrdersService } from '../../../../gen/test/orders/v1/orders_pb.js';
import type { PodConfig } from '../../../../apps/config/pod/pod.ts';
import { image, meshWith, podOf, refused, type Shop } from '../../../testing/foreign.ts';
import { objectOf, problemsOf, twoClusters } from '../../../testing/mesh.ts';
import { withProject } from '../../../testing/project.ts';
import { synthesize } from '../../../synth.ts';
import { GrpcService } from '../grpc-service.ts';

const cart = (pod: PodConfig) => (shop: Shop) =>
  new GrpcService(shop, 'cart', { image, service: OrdersService, port: 7070, pod });
const own = '/spec/template/spec/containers/0';
const why = 'demo/shop/cart: pod.patches[0]';

describe('a patch of the rendered Deployment', () => {
  test('says what no property says', () => {
    const rendered = meshWith(
      cart({
        patches: [
          { op: 'test', path: `${own}/name`, value: 'cart' },
          {
            op: 'add',
            path: '/spec/template/spec/dnsConfig',
            value: { options: [{ name: 'ndots', value: '2' }] },
          },
          { op: 'replace', path: `${own}/startupProbe/failureThreshold`, value: 300 },
          { op: 'add', path: '/spec/revisionHistoryLimit', value: 2 },
          { op: 'remove', path: `${own}/livenessProbe` },
        ],
      }),
    );
    expect(podOf(rendered).spec).toMatchObject({ dnsConfig: { options: [{ name: 'ndots', value: '2' }] } });
    expect(podOf(rendered).spec.containers[0]).toMatchObject({ startupProbe: { failureThreshold: 300 } });
    expect(podOf(rendered).spec.containers[0]).not.toHaveProperty('livenessProbe');
    expect(objectOf(rendered, 'west', 'Deployment', 'cart')?.metadata.annotations).toBeUndefined();
  });

  test('that does nothing, or changes what the mesh reads from the declaration, is refused', () => {
    expect(
      refused(
        cart({
          patches: [
            { op: 'replace', path: '/spec/template/spec/terminationGracePeriodSecond', value: 60 },
            { op: 'add', path: '/spec/template/spec/dnsConfig/options', value: [] },
            { op: 'remove', path: `${own}/ports/1` },
            { op: 'test', path: `${own}/name`, value: 'carts' },
            { op: 'replace', path: '/spec/replicas', value: 3 },
            {
              op: 'add',
              path: '/metadata/annotations',
              value: { 'meshwright/accept-read-only-root': 'I may' },
            },
            { op: 'replace', path: `${own}/image`, value: 'registry.example/other:1.4.0' },
            { op: 'add', path: '/spec/template/spec/containers/-', value: { name: 'second' } },
          ],
        }),
      ),
    ).toEqual([
      'demo/shop/cart: pod.patches[0].path: Deployment shop/cart has no terminationGracePeriodSecond in /spec/template/spec; ' +
        'received "/spec/template/spec/terminationGracePeriodSecond"; ' +
        'allowed automountServiceAccountToken, containers, enableServiceLinks, securityContext, serviceAccountName, terminationGracePeriodSeconds; ' +
        'fix: did you mean terminationGracePeriodSeconds?',
      'demo/shop/cart: pod.patches[1].path: Deployment shop/cart has no dnsConfig in /spec/template/spec; ' +
        'received "/spec/template/spec/dnsConfig/options"; ' +
        'allowed automountServiceAccountToken, containers, enableServiceLinks, securityContext, serviceAccountName, terminationGracePeriodSeconds; ' +
        'fix: correct it, or add what is above it first',
      'demo/shop/cart: pod.patches[2].path: Deployment shop/cart has no 1 in /spec/template/spec/containers/0/ports; ' +
        'received "/spec/template/spec/containers/0/ports/1"; allowed -, 0; fix: did you mean -?',
      'demo/shop/cart: pod.patches[3]: Deployment shop/cart has another value there; received "cart"; allowed "carts"',
      'demo/shop/cart: pod.patches[4].path: spec.replicas of Deployment shop/cart is not for a patch, because the mesh knows, rolls out or removes it by that; ' +
        'received "/spec/replicas"; fix: use replicas',
      'demo/shop/cart: pod.patches[5].path: metadata.annotations of Deployment shop/cart is not for a patch, because the mesh knows, rolls out or removes it by that; ' +
        'received "/metadata/annotations"; fix: give the patch that undoes a guarantee a reason, or use annotations, for the pods',
      ...[
        ['6', `${own}/image`],
        ['7', '/spec/template/spec/containers/-'],
      ].map(
        ([index, path]) =>
          `demo/shop/cart: pod.patches[${index}].path: changes which containers the pods of Deployment shop/cart have, or their images, ` +
          `which the mesh reads from the declaration; received "${path}"; fix: use containers, initContainers or image`,
      ),
    ]);
  });

  test('that is none is refused, with all that is wrong', () => {
    const patches = [
      { op: 'ad', path: '/spec/x', value: 1 },
      { op: 'add', path: 'spec/x', value: 1 },
      { op: 'add', path: '/spec/x' },
      { op: 'remove', path: '/spec/x', vaule: 1 },
      { op: 'add', path: '/spec/x', value: 1, reason: 'two\nlines' },
      { op: 'add', path: '/spec/x', value: { y: [null] } },
    ] as unknown as PodConfig['patches'];
    const pointer = 'a JSON pointer (RFC 6901) into the Deployment, such as /spec/template/spec/dnsPolicy';
    expect(refused(cart({ patches: patches! }))).toEqual([
      'demo/shop/cart: pod.patches[0].op: wrong value; received "ad"; allowed add, remove, replace, move, copy, test',
      `demo/shop/cart: pod.patches[1].path: wrong value; received "spec/x"; allowed ${pointer}`,
      'demo/shop/cart: pod.patches[2].value: missing; allowed any value without null, which is as if it was not there: use remove',
      'demo/shop/cart: pod.patches[3].vaule: unknown key; allowed op, path, reason; fix: remove it',
      'demo/shop/cart: pod.patches[4].reason: wrong value; received "two\\nlines"; allowed why the guarantee may be undone: one line of 1 to 300 characters',
      'demo/shop/cart: pod.patches[5].value: wrong value; received {"y":[null]}; allowed any value without null, which is as if it was not there: use remove',
    ]);
  });
});

type Case = [
  name: string,
  patch: Omit<NonNullable<PodConfig['patches']>[number], 'reason'>,
  rule: string,
  problem: string,
];

const pod = '/spec/template/spec';
const context = `${own}/securityContext`;
const leave = 'leave it as it is';

/** What a patch undoes, and that it may only with a reason. */
const undoing: readonly Case[] = [
  [
    'root',
    { op: 'add', path: `${context}/runAsUser`, value: 0 } as never,
    'no-node-access',
    'containers[cart].securityContext.runAsUser is root; received 0; fix: run as a user other than root',
  ],
  [
    'a writable root',
    { op: 'remove', path: `${context}/readOnlyRootFilesystem` } as never,
    'read-only-root',
    'containers[cart] can write its root file system; fix: mount an emptyDir where it has to write',
  ],
  [
    'a folder of the node',
    { op: 'add', path: `${pod}/volumes`, value: [{ name: 'node', hostPath: { path: '/' } }] } as never,
    'no-node-access',
    'volumes[node] is a folder of the node; received "/"; fix: remove it: the pod would share what belongs to the node',
  ],
  [
    'the network of the node',
    { op: 'add', path: `${pod}/hostNetwork`, value: true } as never,
    'no-node-access',
    'hostNetwork is set; received true; fix: remove it: the pod would share what belongs to the node',
  ],
  [
    'privileges',
    { op: 'replace', path: `${context}/allowPrivilegeEscalation`, value: true } as never,
    'no-node-access',
    'containers[cart].securityContext.allowPrivilegeEscalation is set; received true; fix: remove it',
  ],
  [
    'capabilities',
    { op: 'add', path: `${context}/capabilities/add`, value: ['SYS_ADMIN'] } as never,
    'no-node-access',
    'containers[cart].securityContext.capabilities.add goes beyond what the level restricted allows; received "SYS_ADMIN"; allowed NET_BIND_SERVICE; fix: remove it',
  ],
  [
    'pods without a proxy',
    { op: 'add', path: '/spec/template/metadata/labels/sidecar.istio.io~1inject', value: 'false' } as never,
    'behind-proxy',
    'the label sidecar.istio.io/inject leaves the pods without a proxy; received "false"; fix: remove it, and declare what may be called with calls, callsExternal or MutualTls',
  ],
  [
    'an annotation of the proxy',
    { op: 'remove', path: '/spec/template/metadata/annotations/checksum~1proxy-config' } as never,
    'own-proxy',
    `the annotation checksum/proxy-config, by which the proxy is made or asked for metrics, is changed; fix: ${leave}`,
  ],
  [
    'another account',
    { op: 'replace', path: `${pod}/serviceAccountName`, value: 'orders' } as never,
    'own-identity',
    `serviceAccountName is that of another identity, whose rights the pods get; received "orders"; fix: ${leave}`,
  ],
  [
    'a token for everybody',
    { op: 'replace', path: `${pod}/automountServiceAccountToken`, value: true } as never,
    'own-identity',
    'automountServiceAccountToken gives every container a token for the Kubernetes API; received true; fix: use kubernetesApi, for the service’s own container',
  ],
  [
    'the memory of the proxy',
    { op: 'add', path: `${pod}/shareProcessNamespace`, value: true } as never,
    'own-proxy',
    'shareProcessNamespace lets containers read the memory of the proxy, with its key; received true; fix: remove it',
  ],
  [
    'the wait before the end',
    { op: 'remove', path: `${own}/lifecycle` } as never,
    'no-lost-calls',
    `containers[cart].lifecycle.preStop is changed: it keeps callers from a container that ends; fix: ${leave}`,
  ],
  [
    'a profile of the kernel',
    { op: 'add', path: `${context}/procMount`, value: 'Unmasked' } as never,
    'no-node-access',
    'containers[cart].securityContext.procMount shows what the node keeps in /proc; received "Unmasked"; fix: remove it',
  ],
  [
    'what containers may use',
    { op: 'remove', path: `${own}/resources/limits` } as never,
    'bounded-resources',
    'containers[cart].resources lacks limits.memory; fix: set what is missing',
  ],
];

/** What synth says of a service in a namespace of a lower level, and what it renders. */
function inLower(config: PodConfig): {
  problems: readonly string[];
  annotations: Readonly<Record<string, string>>;
} {
  return withProject({}, (root) => {
    const mesh = twoClusters(root);
    const shop = mesh.namespace('shop', { podSecurity: { level: 'privileged', reason: 'a driver of ours' } });
    cart(config)(shop);
    const problems = problemsOf(mesh);
    const found = problems.length > 0 ? undefined : objectOf(synthesize(mesh), 'east', 'Deployment', 'cart');
    return { problems, annotations: found?.metadata.annotations ?? {} };
  });
}

describe('what a patch undoes', () => {
  test.each(undoing)('%s, needs a reason, which the YAML shows', (_, patch, rule, problem) => {
    const { problems } = inLower({ patches: [patch as never] });
    const [what, fix] = problem.split('; fix: ');
    expect(problems).toEqual([
      `${why}: undoes ${rule} of Deployment shop/cart: ${what}; fix: ${fix}; or, if it has to be so, give the patch a reason`,
    ]);
    const reasoned = inLower({
      patches: [{ ...(patch as object), reason: 'as the auditors know' } as never],
    });
    expect(reasoned.problems).toEqual([]);
    expect(reasoned.annotations).toEqual({ [`meshwright/accept-${rule}`]: 'as the auditors know' });
  });

  test('and undoes all the same in a namespace whose level refuses such pods, is refused with a reason, too', () => {
    expect(
      refused(
        cart({ patches: [{ op: 'add', path: `${pod}/hostNetwork`, value: true, reason: 'it measures' }] }),
      ),
    ).toEqual([
      'demo/shop/cart: Deployment shop/cart: hostNetwork is set, for which there is a reason, and the level restricted of namespace shop refuses its pods all the same; ' +
        'received true; fix: declare the namespace with podSecurity: { level, reason }, or remove it',
    ]);
  });

  test('counts by the result: what a later patch puts back is not undone, and an idle reason is refused', () => {
    const root = `${context}/readOnlyRootFilesystem`;
    const back = [
      { op: 'remove', path: root },
      { op: 'add', path: root, value: true },
    ] as const;
    expect(inLower({ patches: [...back] }).problems).toEqual([]);
    expect(inLower({ patches: [{ ...back[0], reason: 'it writes' }, back[1]] }).problems).toEqual([
      `${why}.reason: the patch undoes no guarantee of Deployment shop/cart; received "it writes"; fix: remove the reason, so that it excuses nothing later`,
    ]);
  });

  test('a reason excuses one patch, and not another that undoes the same for more', () => {
    const patches: PodConfig['patches'] = [
      { op: 'add', path: `${context}/runAsUser`, value: 0, reason: 'it binds port 53' },
      { op: 'add', path: `${pod}/hostPID`, value: true },
    ];
    expect(inLower({ patches }).problems).toEqual([
      'demo/shop/cart: pod.patches[1]: undoes no-node-access of Deployment shop/cart: hostPID is set; received true; ' +
        'fix: remove it: the pod would share what belongs to the node; or, if it has to be so, give the patch a reason',
    ]);
  });
});
