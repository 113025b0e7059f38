import { describe, expect, test } from '@jest/globals';
import { OwnObject } from '../constructs/scope/own-object.ts';
import { problemsOf, twoClusters } from '../testing/mesh.ts';
import { deployment, image, resources, said, type Own } from '../testing/own-objects.ts';
import { withProject } from '../testing/project.ts';

const container = (name: string, securityContext: object = {}) => ({
  name,
  image,
  resources,
  securityContext,
});
const kept = { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } };
const shared = { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } };

/** A Deployment of pods that say of themselves exactly this. */
function pods(
  securityContext: object,
  containers: readonly object[],
  before: readonly object[] = [],
  metadata: object = {},
): Own {
  const { body, ...rest } = deployment({}, {}, metadata);
  const { spec } = body as { spec: { template: { metadata: object } } };
  const template = { ...spec.template, spec: { securityContext, containers, initContainers: before } };
  return { ...rest, body: { spec: { ...spec, template } } };
}

const lacks = (name: string, ...missing: readonly string[]) =>
  `demo/custom: Deployment shop/own: ${name}.securityContext lacks what the level restricted of namespace shop asks for, ` +
  `which refuses its pods; fix: add ${missing.join(', ')}`;

const podLacks =
  "demo/custom: Deployment shop/own: the pods' securityContext lacks what the level restricted of namespace shop asks for, " +
  'which refuses its pods: Istio adds containers that have no profile of their own; fix: add seccompProfile: { type: RuntimeDefault }';
const confined = { ...kept, seccompProfile: { type: 'Localhost', localhostProfile: 'a' } };

test.each<[string, Own, readonly string[]]>([
  [
    'all of it',
    pods({}, [container('own')]),
    [
      podLacks,
      lacks(
        'containers[own]',
        'allowPrivilegeEscalation: false',
        'capabilities: { drop: [ALL] }',
        'runAsNonRoot: true',
      ),
    ],
  ],
  [
    'a profile for the containers that Istio adds',
    pods({ runAsNonRoot: true }, [container('own', confined)]),
    [podLacks],
  ],
  [
    'a profile for these that confines',
    pods({ ...shared, seccompProfile: { type: 'Unconfined' } }, [container('own', confined)]),
    [podLacks],
  ],
  [
    'what only containers can say',
    pods(shared, [container('own', { capabilities: { drop: ['NET_RAW'] } })]),
    [lacks('containers[own]', 'allowPrivilegeEscalation: false', 'capabilities: { drop: [ALL] }')],
  ],
  [
    'it in an init container',
    pods(shared, [container('own', kept)], [container('init', { allowPrivilegeEscalation: false })]),
    [lacks('initContainers[init]', 'capabilities: { drop: [ALL] }')],
  ],
  [
    'a profile that confines',
    pods(shared, [container('own', { ...kept, seccompProfile: { type: 'Unconfined' } })]),
    [lacks('containers[own]', 'seccompProfile: { type: RuntimeDefault }')],
  ],
])('pods in a restricted namespace that lack %s are refused', (_, object, problems) => {
  expect(said(object)).toEqual(problems);
});

test('so are volumes that the level does not know', () => {
  const volumes = [
    { name: 'scratch', emptyDir: {} },
    { name: 'share', nfs: { server: 'files.example', path: '/' } },
  ];
  expect(said(deployment({}, { volumes }))).toEqual([
    'demo/custom: Deployment shop/own: volumes[share] is of a kind that the level restricted of namespace shop refuses; ' +
      'received "nfs"; allowed configMap, csi, downwardAPI, emptyDir, ephemeral, persistentVolumeClaim, projected, secret',
  ]);
});

test('the pod may say it, and the container in place of it where Istio adds no other one', () => {
  expect(said(pods(shared, [container('own', kept)]))).toEqual([]);
  const template = {
    labels: { app: 'own', 'sidecar.istio.io/inject': 'true' },
    annotations: { 'inject.istio.io/templates': 'gateway' },
  };
  const own = container('istio-proxy', { ...confined, runAsNonRoot: true });
  expect(said(pods({}, [{ ...own, image: 'auto' }], [], template))).toEqual([]);
  const labels = { app: 'own', 'sidecar.istio.io/inject': 'false' };
  const annotations = { 'meshwright/accept-behind-proxy': 'an agent' };
  const alone = pods({}, [container('own', { ...confined, runAsNonRoot: true })], [], { labels });
  expect(said({ ...alone, annotations })).toEqual([]);
});

test('pods in a namespace of another level need not', () => {
  const reason = 'an agent of the control plane';
  const annotations = {
    'meshwright/accept-behind-proxy': reason,
    'meshwright/accept-own-identity': reason,
  };
  expect(said({ ...pods({}, [container('own')]), namespace: 'istio-system', annotations })).toEqual([]);
});

describe('pods in a namespace of the level baseline', () => {
  const inBaseline = (own: Own) =>
    withProject({}, (root) => {
      const mesh = twoClusters(root);
      const shop = mesh.namespace('shop', { podSecurity: { level: 'baseline', reason: 'an old image' } });
      const annotations = { 'meshwright/accept-no-node-access': 'an old image' };
      const { apiVersion, kind, body } = own;
      new OwnObject(shop, 'own', { object: { apiVersion, kind, metadata: { annotations }, ...body } });
      return problemsOf(mesh);
    });
  const refuses = (what: string, received: string) =>
    `demo/shop/own: Deployment shop/own: ${what}, for which there is a reason, and the level baseline of namespace shop refuses its pods all the same; ` +
    `received ${received}; fix: declare the namespace with podSecurity: { level, reason }, or remove it`;

  test('may be root, with what root has, and need not say what restricted asks for', () => {
    const capabilities = { add: ['CHOWN', 'SYS_CHROOT'] };
    const securityContext = { runAsUser: 0, runAsNonRoot: false };
    const root = container('own', { allowPrivilegeEscalation: true, capabilities });
    expect(inBaseline(pods(securityContext, [root]))).toEqual([]);
  });

  test('share nothing of the node, whatever the reason', () => {
    const capabilities = { add: ['NET_ADMIN', 'CHOWN'] };
    const one = {
      ...container('own', { privileged: true, capabilities }),
      ports: [{ containerPort: 1, hostPort: 1 }],
    };
    expect(inBaseline(pods({}, [one]))).toEqual([
      refuses('containers[own] takes a port of the node', '1'),
      refuses('containers[own].securityContext.privileged is set', 'true'),
      refuses(
        'containers[own].securityContext.capabilities.add goes beyond what the level restricted allows',
        '"NET_ADMIN"',
      ),
    ]);
    const hostPath = { volumes: [{ name: 'root', hostPath: { path: '/' } }], hostNetwork: true };
    expect(inBaseline(deployment({}, hostPath))).toEqual([
      refuses('hostNetwork is set', 'true'),
      refuses('volumes[root] is a folder of the node', '"/"'),
    ]);
  });

  test('do without no filter of system calls', () => {
    const seccompProfile = { type: 'Unconfined' };
    const forbids = (path: string) =>
      `demo/shop/own: Deployment shop/own: ${path}.seccompProfile.type is what the level baseline of namespace shop forbids, which refuses its pods; ` +
      'received "Unconfined"; fix: remove it, or use RuntimeDefault';
    expect(inBaseline(pods({ seccompProfile }, [container('own', { seccompProfile })]))).toEqual([
      forbids('securityContext'),
      forbids('containers[own].securityContext'),
    ]);
  });
});
