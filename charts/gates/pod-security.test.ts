import { expect, test } from '@jest/globals';
import { deployment, image, resources, said, type Own } from '../testing/own-objects.ts';

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
