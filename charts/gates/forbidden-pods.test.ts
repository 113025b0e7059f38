import { describe, expect, test } from '@jest/globals';
import { deployment, expectRefused, said, type Own, type Refused } from '../testing/own-objects.ts';

const past = 'remove it, and declare what may be called with calls, callsExternal or MutualTls';
const node = 'remove it: the pod would share what belongs to the node';

/** What it is, the object, the rule it is against, what is said of it, and what to do. */
const cases: readonly Refused[] = [
  [
    'ports that pass the proxy',
    deployment({}, {}, { annotations: { 'traffic.sidecar.istio.io/excludeInboundPorts': '50051' } }),
    'behind-proxy',
    'Deployment shop/own: the annotation traffic.sidecar.istio.io/excludeInboundPorts lets traffic bypass the proxy; received "50051"',
    past,
  ],
  [
    'pods without a proxy',
    deployment({}, {}, { labels: { app: 'own', 'sidecar.istio.io/inject': 'false' } }),
    'behind-proxy',
    'Deployment shop/own: the label sidecar.istio.io/inject leaves the pods without a proxy; received "false"',
    past,
  ],
  [
    "the proxy's user",
    deployment({ securityContext: { runAsUser: 1337 } }),
    'behind-proxy',
    'Deployment shop/own: containers[own].securityContext.runAsUser is the user id of the proxy, whose traffic bypasses the proxy; received 1337',
    'choose another',
  ],
  [
    'the network of the node',
    deployment({}, { hostNetwork: true }),
    'no-node-access',
    'Deployment shop/own: hostNetwork is set; received true',
    node,
  ],
  [
    'a folder of the node',
    deployment({}, { volumes: [{ name: 'root', hostPath: { path: '/' } }] }),
    'no-node-access',
    'Deployment shop/own: volumes[root] is a folder of the node; received "/"',
    node,
  ],
  [
    'a port of the node',
    deployment({ ports: [{ containerPort: 80, hostPort: 80 }] }),
    'no-node-access',
    'Deployment shop/own: containers[own] takes a port of the node; received 80',
    node,
  ],
  [
    'a privileged container',
    deployment({ securityContext: { privileged: true } }),
    'no-node-access',
    'Deployment shop/own: containers[own].securityContext.privileged is set; received true',
    'remove it',
  ],
  [
    'more capabilities',
    deployment({ securityContext: { capabilities: { add: ['NET_ADMIN'], drop: ['ALL'] } } }),
    'no-node-access',
    'Deployment shop/own: containers[own].securityContext.capabilities.add goes beyond what the level restricted allows; received "NET_ADMIN"; allowed NET_BIND_SERVICE',
    'remove it',
  ],
  [
    'root',
    deployment({}, { securityContext: { runAsUser: 0 } }),
    'no-node-access',
    'Deployment shop/own: securityContext.runAsUser is root; received 0',
    'run as a user other than root',
  ],
  [
    'D15: a variable that loads code',
    deployment({ env: [{ name: 'LD_PRELOAD', value: '/tmp/own.so' }] }),
    'safe-environment',
    'Deployment shop/own: containers[own].env loads code into the program, or changes how it is loaded; received "LD_PRELOAD"',
    'remove it',
  ],
  [
    'variables that nobody sees',
    deployment({ envFrom: [{ prefix: 'NODE_', configMapRef: { name: 'own' } }] }),
    'safe-environment',
    'Deployment shop/own: containers[own].envFrom[0] makes a variable of every key, whatever it is called: ' +
      'one may load code into the program; received {"configMapRef":{"name":"own"},"prefix":"NODE_"}',
    'name the variables by env and valueFrom, or give them a prefix, such as CONFIG_',
  ],
  [
    'an app in the pods of a gateway',
    deployment({}, {}, { annotations: { 'inject.istio.io/templates': 'gateway' } }),
    'behind-proxy',
    'Deployment shop/own: the annotation inject.istio.io/templates gives the pods a proxy that their traffic bypasses; received "gateway"',
    'remove it, or keep a gateway in pods of its own',
  ],
  [
    'a proxy of one’s own',
    deployment({ name: 'istio-proxy' }),
    'behind-proxy',
    "Deployment shop/own: containers[istio-proxy].image replaces the mesh's proxy, regardless of the control plane's version; " +
      `received "registry.example/app@sha256:${'0a'.repeat(32)}"`,
    'use auto, or remove the container',
  ],
  ...['proxy.istio.io/overrides', 'istio.io/reroute-virtual-interfaces'].map((name): Refused => [
    `an annotation by which traffic passes the proxy: ${name}`,
    deployment({}, {}, { annotations: { [name]: 'net1' } }),
    'behind-proxy',
    `Deployment shop/own: the annotation ${name} lets traffic bypass the proxy; received "net1"`,
    past,
  ]),
  [
    'the newest image',
    deployment({ image: 'registry.example/app:latest' }),
    'pinned-images',
    'Deployment shop/own: containers[own].image is "registry.example/app:latest": the tag "latest" may move to another image',
    'use a digest or a fixed tag',
  ],
  [
    'a pod of a custom resource',
    {
      apiVersion: 'jobset.x-k8s.io/v1alpha2',
      kind: 'JobSet',
      body: {
        spec: {
          replicatedJobs: [{ template: deployment({ securityContext: { privileged: true } }).body }],
        },
      },
    },
    'no-node-access',
    'JobSet shop/own: spec.replicatedJobs[0].template.spec.template: containers[own].securityContext.privileged is set; received true',
    'remove it',
  ],
  [
    'a container without bounds',
    deployment({ resources: {} }),
    'bounded-resources',
    'Deployment shop/own: containers[own].resources lacks requests.cpu, requests.memory, limits.memory',
    'set what is missing',
  ],
];

describe('D12: what undoes the security of the mesh is refused, in a construct of one’s own too', () => {
  test.each(cases)('%s', (_, object, rule, what, fix) => {
    expectRefused(object, rule, what, fix);
  });

  test.each<[string, Own]>([
    ['a deployment as it should be', deployment({ securityContext: { capabilities: { drop: ['ALL'] } } })],
    [
      'variables with a prefix of their own',
      deployment({ envFrom: [{ prefix: 'CONFIG_', secretRef: { name: 'own' } }] }),
    ],
    [
      'redirection of everything',
      deployment({}, {}, { annotations: { 'traffic.sidecar.istio.io/includeInboundPorts': '*' } }),
    ],
  ])('%s is not', (_, object) => {
    expect(said(object)).toEqual([]);
  });
});

test.each<[string, Own]>([
  ['an image by the number of a build', deployment({ image: 'registry.example/app:20241130.1' })],
])('%s is allowed', (_, object) => {
  expect(said(object)).toEqual([]);
});
