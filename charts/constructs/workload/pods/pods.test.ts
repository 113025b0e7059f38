import { describe, expect, test } from '@jest/globals';
import { OrdersService } from '../../../../gen/test/orders/v1/orders_pb.js';
import type { PodConfig } from '../../../../apps/config/pod/pod.ts';
import { declareCart, image, meshWith, podOf, spec } from '../../../testing/foreign.ts';
import { expectGolden } from '../../../testing/golden.ts';
import { objectOf, objectsOf } from '../../../testing/mesh.ts';
import { GrpcService } from '../grpc-service.ts';

const helper = 'registry.example/helper:2.1.0';

/** Every property of pods. */
const pod: PodConfig = {
  labels: { 'shop.example/tier': 'front' },
  annotations: { 'sidecar.istio.io/proxyCPU': '50m', 'shop.example/owner': 'carts@shop.example' },
  nodeSelector: { 'kubernetes.io/arch': 'amd64' },
  tolerations: [
    { key: 'dedicated', value: 'carts', effect: 'NoSchedule' },
    { operator: 'Exists', effect: 'NoExecute' },
  ],
  affinity: {
    podAntiAffinity: {
      preferredDuringSchedulingIgnoredDuringExecution: [
        {
          weight: 1,
          podAffinityTerm: {
            topologyKey: 'kubernetes.io/hostname',
            labelSelector: { matchLabels: { 'shop.example/tier': 'front' } },
          },
        },
      ],
    },
  },
  priorityClass: 'carts',
  hostAliases: { '10.1.2.3': ['ledger.bank.example', 'ledger'] },
  group: 2000,
  volumes: {
    scratch: { emptyDir: { sizeLimit: '64Mi', medium: 'Memory' } },
    data: { claim: 'carts' },
    settings: { configMap: { name: 'settings', items: { 'app.yml': 'conf/app.yml' } } },
    keys: { secret: { name: 'keys', mode: 0o440 } },
    rules: { files: { 'rules.txt': 'allow all carts\n' } },
    all: {
      projected: [
        { configMap: { name: 'settings' } },
        { secret: { name: 'keys', items: { key: 'key.pem' }, mode: 0o400 } },
        { fields: { labels: 'metadata.labels', tier: "metadata.labels['shop.example/tier']" } },
        { token: { audience: 'vault', path: 'vault-token', expirationSeconds: 600 } },
      ],
    },
  },
  mounts: {
    '/tmp': 'scratch',
    '/data': 'data',
    '/etc/cart': 'settings',
    '/etc/keys': { volume: 'keys' },
    '/etc/rules/rules.txt': { volume: 'rules', subPath: 'rules.txt' },
    '/run/all': 'all',
    '/old': { volume: 'data', readOnly: true, subPath: 'old' },
  },
  postStart: { exec: ['/bin/announce'] },
  initContainers: [
    { name: 'migrate', image: helper, args: ['migrate'], env: { TO: '7' }, mounts: { '/data': 'data' } },
    {
      name: 'proxy',
      image: 'db-proxy:1.0.3',
      sidecar: true,
      ports: [5432],
      probes: { startup: { exec: ['/probe'] } },
      preStop: { sleepSeconds: 2 },
    },
  ],
  containers: [
    {
      name: 'exporter',
      image: helper,
      command: ['/exporter'],
      env: { NODE: { field: 'spec.nodeName' }, MEMORY: { resource: 'limits.memory', divisor: '1Mi' } },
      resources: { requests: { cpu: '10m', memory: '16Mi' }, limits: { memory: '32Mi' } },
      user: 1001,
      mounts: { '/scratch': { volume: 'scratch', readOnly: true } },
      ports: [9100],
      probes: { http: { path: '/healthy', port: 9100 } },
      postStart: { http: { path: '/started', port: 9100 } },
    },
  ],
  serviceAccount: { annotations: { 'eks.amazonaws.com/role-arn': 'arn:aws:iam::111122223333:role/carts' } },
  kubernetesApi: { rules: [{ resources: ['pods'], verbs: ['get', 'list'] }] },
};

describe('what is said of pods', () => {
  const rendered = meshWith((shop) => {
    declareCart(shop);
    return new GrpcService(shop, 'front', {
      image,
      service: OrdersService,
      port: 7070,
      env: { NODE: { field: 'spec.nodeName' }, CPU: { resource: 'requests.cpu', divisor: '1m' } },
      pod,
    });
  });

  test('stands in their Deployment, beside what they have anyway', () => {
    const own = objectsOf(rendered, 'east', 'shop').filter(({ metadata }) =>
      /^(?:front|kubernetes-api)/.test(metadata.name),
    );
    expectGolden(import.meta.url, 'pods', own);
    const { containers, ...more } = podOf(rendered, 'front').spec as unknown as Record<
      string,
      readonly {
        name: string;
        lifecycle: unknown;
        volumeMounts: readonly { name: string }[];
        securityContext: unknown;
      }[]
    >;
    expect(containers?.map(({ name }) => name)).toEqual(['front', 'exporter']);
    expect(more['initContainers']?.map(({ name }) => name)).toEqual(['migrate', 'proxy']);
    // The wait before the end is still the mesh's, and so is what Pod Security asks for.
    expect(containers?.[0]?.lifecycle).toEqual({
      postStart: { exec: { command: ['/bin/announce'] } },
      preStop: { sleep: { seconds: 10 } },
    });
    for (const one of [...(containers ?? []), ...(more['initContainers'] ?? [])])
      expect(one.securityContext).toMatchObject({
        allowPrivilegeEscalation: false,
        capabilities: { drop: ['ALL'] },
        readOnlyRootFilesystem: true,
        runAsNonRoot: true,
      });
  });

  test('gives a token for the Kubernetes API to the service’s own container alone', () => {
    const { containers, automountServiceAccountToken } = podOf(rendered, 'front').spec as unknown as {
      containers: readonly { volumeMounts: readonly { mountPath: string }[] }[];
      automountServiceAccountToken: boolean;
    };
    const token = '/var/run/secrets/kubernetes.io/serviceaccount';
    expect(automountServiceAccountToken).toBe(false);
    expect(
      containers.map(({ volumeMounts }) => volumeMounts.some(({ mountPath }) => mountPath === token)),
    ).toEqual([true, false]);
    expect(objectOf(rendered, 'east', 'RoleBinding', 'front')).toMatchObject({
      roleRef: { kind: 'Role', name: 'front' },
      subjects: [{ kind: 'ServiceAccount', name: 'front', namespace: 'shop' }],
    });
    expect(spec(rendered, 'Sidecar', 'front')).toMatchObject({
      egress: [{ hosts: ['shop/kubernetes.default.svc'] }],
    });
    for (const kind of ['Role', 'RoleBinding'])
      expect(objectOf(rendered, 'east', kind, 'cart')).toBeUndefined();
  });
});
