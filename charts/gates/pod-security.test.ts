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
function pods(securityContext: object, containers: readonly object[], before: readonly object[] = []): Own {
  const { body, ...rest } = deployment();
  const { spec } = body as { spec: { template: { metadata: object } } };
  const template = { ...spec.template, spec: { securityContext, containers, initContainers: before } };
  return { ...rest, body: { spec: { ...spec, template } } };
}

const lacks = (name: string, ...missing: readonly string[]) =>
  `demo/custom: Deployment shop/own: ${name}.securityContext lacks what the level restricted of namespace shop asks for, ` +
  `which refuses its pods; fix: add ${missing.join(', ')}`;

test.each<[string, Own, readonly string[]]>([
  [
    'all of it',
    pods({}, [container('own')]),
    [
      lacks(
        'containers[own]',
        'allowPrivilegeEscalation: false',
        'capabilities: { drop: [ALL] }',
        'runAsNonRoot: true',
        'seccompProfile: { type: RuntimeDefault }',
      ),
    ],
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

test('the container or the pod may say it', () => {
  const own = { ...kept, runAsNonRoot: true, seccompProfile: { type: 'Localhost', localhostProfile: 'a' } };
  expect(said(pods({}, [container('own', own)]))).toEqual([]);
  expect(said(pods(shared, [container('own', kept)]))).toEqual([]);
});

test('pods in a namespace of another level need not', () => {
  const annotations = { 'meshwright/accept-behind-proxy': 'an agent of the control plane' };
  expect(said({ ...pods({}, [container('own')]), namespace: 'istio-system', annotations })).toEqual([]);
});
