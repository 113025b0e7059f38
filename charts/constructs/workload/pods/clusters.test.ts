import { describe, expect, test } from '@jest/globals';
import { OrdersService } from '../../../../gen/test/orders/v1/orders_pb.js';
import type { InCluster } from '../../../../apps/config/pod/pod.ts';
import { image, meshWith, podOf, refused, type Clusters, type Shop } from '../../../testing/foreign.ts';
import { objectOf, problemsOf, twoClusters } from '../../../testing/mesh.ts';
import { withProject } from '../../../testing/project.ts';
import { synthesize } from '../../../synth.ts';
import { GrpcService } from '../grpc-service.ts';

const cart =
  (clusters: Partial<Record<Clusters, InCluster>>, more: object = {}) =>
  (shop: Shop) =>
    new GrpcService(shop, 'cart', {
      ...{ image, service: OrdersService, port: 7070, env: { LEVEL: 'info', REGION: 'any' } },
      ...more,
      clusters,
    });

interface Container {
  readonly image: string;
  readonly env: readonly { readonly name: string; readonly value: string }[];
  readonly resources: unknown;
}

describe('a workload that differs between clusters', () => {
  const east: InCluster = {
    env: { REGION: 'us-east-1', ZONE: { field: 'spec.nodeName' } },
    replicas: 3,
    resources: { requests: { cpu: '1', memory: '1Gi' }, limits: { memory: '2Gi' } },
    image: 'registry.example/cart:1.5.0',
    nodeSelector: { pool: 'east' },
    serviceAccount: { annotations: { 'iam.example/role': 'east' } },
    patches: [{ op: 'add', path: '/spec/template/spec/dnsPolicy', value: 'Default' }],
  };
  const rendered = meshWith(
    cart({ east, west: { replicas: 1 } }, { pod: { nodeSelector: { disk: 'ssd' } } }),
  );
  const container = (cluster: Clusters) =>
    podOf(rendered, 'cart', cluster).spec.containers[0] as unknown as Container;

  test('is there as it is said of each', () => {
    expect(container('east')).toMatchObject({
      image: 'registry.example/cart:1.5.0',
      env: [
        { name: 'LEVEL', value: 'info' },
        { name: 'REGION', value: 'us-east-1' },
        { name: 'ZONE', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } },
      ],
      resources: { requests: { cpu: '1', memory: '1Gi' }, limits: { memory: '2Gi' } },
    });
    expect(container('west')).toMatchObject({
      image,
      env: [
        { name: 'LEVEL', value: 'info' },
        { name: 'REGION', value: 'any' },
      ],
    });
    expect(podOf(rendered, 'cart', 'east').spec).toMatchObject({
      nodeSelector: { disk: 'ssd', pool: 'east' },
      dnsPolicy: 'Default',
    });
    expect(podOf(rendered, 'cart', 'west').spec).toMatchObject({ nodeSelector: { disk: 'ssd' } });
    expect(podOf(rendered, 'cart', 'west').spec).not.toHaveProperty('dnsPolicy');
    const replicas = (cluster: Clusters) => objectOf(rendered, cluster, 'Deployment', 'cart')?.['spec'];
    expect([replicas('east'), replicas('west')]).toMatchObject([{ replicas: 3 }, { replicas: 1 }]);
    // What keeps several pods in service is where there are several.
    expect(objectOf(rendered, 'east', 'PodDisruptionBudget', 'cart')).toBeDefined();
    expect(objectOf(rendered, 'west', 'PodDisruptionBudget', 'cart')).toBeUndefined();
    const account = (cluster: Clusters) =>
      objectOf(rendered, cluster, 'ServiceAccount', 'cart')?.metadata.annotations;
    expect([account('east'), account('west')]).toEqual([{ 'iam.example/role': 'east' }, undefined]);
  });

  test('says so in dist, alike in every cluster', () => {
    for (const cluster of ['east', 'west'])
      expect(objectOf(rendered, cluster, 'Deployment', 'cart')?.metadata.annotations).toEqual({
        'meshwright/differs':
          'east: env REGION, env ZONE, replicas, resources, image, nodeSelector, serviceAccount, patch of /spec/template/spec/dnsPolicy; ' +
          'west: replicas',
      });
  });

  test('may differ in nothing else', () => {
    const patches = (value: string) => [
      { op: 'replace', path: '/spec/template/spec/containers/0/imagePullPolicy', value } as const,
      { op: 'add', path: '/spec/template/spec/containers/0/args', value: [value] } as const,
    ];
    withProject({}, (root) => {
      const mesh = twoClusters(root);
      cart({ east: { patches: patches('Always') }, west: { patches: patches('Never') } })(
        mesh.namespace('shop'),
      );
      expect(problemsOf(mesh)).toEqual([]);
      const reasoned = {
        op: 'add',
        path: '/spec/template/spec/shareProcessNamespace',
        value: true,
        reason: 'r',
      } as const;
      const second = twoClusters(root);
      cart({ west: { patches: [reasoned] } })(second.namespace('shop'));
      const found = synthesize(second);
      expect(objectOf(found, 'west', 'Deployment', 'cart')?.metadata.annotations).toEqual({
        'meshwright/accept-own-proxy': 'r',
        'meshwright/differs': 'west: patch of /spec/template/spec/shareProcessNamespace',
      });
    });
  });

  test('is known to those who watch it by its number of pods in each', () => {
    withProject({}, (root) => {
      const mesh = twoClusters(root);
      cart({ west: { replicas: 0 } }, { replicas: 2 })(mesh.namespace('shop'));
      const [workload] = mesh.model().workloads;
      expect(workload).toMatchObject({
        answersFrom: ['east'],
        deployments: [{ name: 'cart', replicas: 2, replicasIn: { west: 0 } }],
      });
    });
  });

  test('an app folder may, too', () => {
    withProject({}, (root) => {
      const mesh = twoClusters(root);
      new GrpcService(mesh.namespace('shop'), 'orders', {
        app: 'apps/orders',
        service: OrdersService,
        pod: { labels: { tier: 'back' }, initContainers: [{ name: 'migrate', args: ['migrate'] }] },
        clusters: { west: { env: { LOG_LEVEL: 'debug' }, image: 'orders:9.9.9' } },
      });
      const found = synthesize(mesh);
      const [west] = podOf(found, 'orders', 'west').spec.containers as unknown as readonly Container[];
      expect(west?.image).toMatch(/\/orders:9\.9\.9$/);
      expect(west?.env).toContainEqual({ name: 'LOG_LEVEL', value: 'debug' });
      expect(west?.env).toContainEqual({ name: 'CLUSTER_NAME', value: 'west' });
      // Without an image of its own, a container has that of the service, and its user.
      const { initContainers } = podOf(found, 'orders', 'west').spec as unknown as Record<
        string,
        readonly Container[]
      >;
      expect(initContainers?.[0]).toMatchObject({
        image: west?.image,
        securityContext: { runAsUser: 65532 },
      });
      expect(podOf(found, 'orders', 'east').metadata).toMatchObject({ labels: { tier: 'back' } });
    });
  });
});

test('what is said of single clusters, and is wrong, all at once', () => {
  const said = (clusters: unknown, more: object = {}) =>
    refused((shop) => cart(clusters as never, more)(shop)).map((line) =>
      line.replace('demo/shop/cart: ', ''),
    );
  expect(said([])).toEqual([
    'clusters: is not an object; received []; allowed what differs by cluster: { east: { env, replicas } }',
  ]);
  expect(said({ weest: {}, west: { replica: 1, env: { A: 1 } } })).toEqual([
    'clusters.weest: it has no pods in this cluster; allowed east, west; fix: did you mean west?',
    'clusters.west.env.A: wrong value of type number; allowed text (put numbers and booleans in quotes), { secret: NAME, key: KEY }, ' +
      '{ configMap: NAME, key: KEY }, { field: FIELD }, { resource: RESOURCE } or { value: TEXT, notSecret: REASON }',
    'clusters.west.replica: unknown key; allowed env, replicas, resources, image, nodeSelector, serviceAccount, patches; fix: did you mean replicas?',
  ]);
  expect(
    said(
      {
        east: { env: { B: '$(NONE)' }, replicas: 9, nodeSelector: { 'a b': 'x' } },
        west: { resources: { requests: { cpu: '1', memory: '2Gi' }, limits: { memory: '1Gi' } } },
      },
      { autoscaling: { maxReplicas: 5 } },
    ),
  ).toEqual([
    'clusters.east.env.B: uses a variable that is not set before it; received "$(NONE)"; allowed LEVEL, REGION; fix: set it before, or write $$(NONE) for the text itself',
    'clusters.east.replicas: not more than replicas, the minimum number of pods; received 5; allowed more than 9; fix: raise maxReplicas, or remove autoscaling',
    'clusters.east.nodeSelector.a b: is not a valid name; received "a b"; allowed NAME or PREFIX/NAME: a name of 1 to 63 letters, digits, "-", "_" and ".", its ends letters or digits, and a DNS subdomain',
    'clusters.west.resources.requests.memory: more than resources.limits.memory; received "2Gi"; allowed at most 1Gi; fix: lower the request or raise the limit',
  ]);
  expect(said({ east: { replicas: 2 } }, { versions: { v1: {}, v2: { image: 'cart:2.0.0' } } })).toEqual([
    'clusters.east.replicas: cannot be combined with versions, each of which has its own; received 2; ' +
      'fix: remove it, and give versions of different images or numbers of pods a placement each',
  ]);
});
