import { describe, expect, test } from '@jest/globals';
import { OrdersService } from '../../../gen/test/orders/v1/orders_pb.js';
import { released } from '../../platforms.ts';
import { declareCart, image, meshWith, podOf, spec } from '../../testing/foreign.ts';
import { expectGolden } from '../../testing/golden.ts';
import { objectOf, objectsOf, twoClusters } from '../../testing/mesh.ts';
import { withProject } from '../../testing/project.ts';
import { GrpcService } from './grpc-service.ts';

describe('a service by the reference of its image', () => {
  const rendered = meshWith(declareCart);
  const cart = objectsOf(rendered, 'east', 'shop').filter(({ metadata }) => metadata.name === 'cart');

  test('has all that ours have', () => {
    const kinds = (name: string) =>
      objectsOf(rendered, 'east', 'shop')
        .filter(({ metadata }) => metadata.name === name)
        .map(({ kind }) => kind);
    expect(kinds('cart')).toEqual(
      kinds('orders').flatMap((kind) => (kind === 'EnvoyFilter' ? ['AuthorizationPolicy', kind] : [kind])),
    );
    expectGolden(import.meta.url, 'foreign-image', cart);
  });

  test('runs its image with what is declared, and with nothing that our runtime would read', () => {
    const [container, ...others] = podOf(rendered).spec.containers;
    expect(others).toEqual([]);
    expect(container).toMatchObject({
      image,
      ports: [{ name: 'grpc', containerPort: 7070 }],
      resources: { requests: { cpu: '100m', memory: '128Mi' }, limits: { memory: '512Mi' } },
      securityContext: { runAsNonRoot: true, readOnlyRootFilesystem: true, allowPrivilegeEscalation: false },
      readinessProbe: { grpc: { port: 7070 } },
    });
    expect(container?.env ?? []).toEqual([]);
    expect(container).not.toHaveProperty('securityContext.runAsUser');
    expect(podOf(rendered).metadata.annotations).not.toHaveProperty(['prometheus.io/scrape']);
  });

  test('is told to end by the kubelet once callers know, and apps of ours, which wait by themselves, at once', () => {
    const { terminationGracePeriodSeconds, containers } = podOf(rendered).spec;
    expect(containers[0]?.lifecycle).toEqual({ preStop: { sleep: { seconds: 10 } } });
    expect(terminationGracePeriodSeconds).toBe(30);
    for (const name of ['catalog', 'inventory', 'orders'])
      for (const container of podOf(rendered, name).spec.containers)
        expect(container).not.toHaveProperty('lifecycle');
  });

  test('stands in the model without an app, beside the image that proofs of it run in', () => {
    withProject({}, (root) => {
      const mesh = twoClusters(root);
      declareCart(mesh.namespace('shop'));
      const { workloads, images, foreignImages } = mesh.model();
      const found = workloads.find(({ name }) => name === 'cart');
      expect(found).not.toHaveProperty('app');
      expect(found).toMatchObject({
        services: ['test.orders.v1.OrdersService'],
        ports: { grpc: 7070 },
        answersFrom: ['east', 'west'],
      });
      expect(images.map(({ app }) => app)).toEqual([
        'apps/catalog',
        'apps/gateway',
        'apps/inventory',
        'apps/orders',
      ]);
      expect(foreignImages).toEqual([image]);
    });
    withProject({}, (root) => {
      const mesh = twoClusters(root);
      new GrpcService(mesh.namespace('shop'), 'cart', { image, service: OrdersService, port: 7070 });
      expect(mesh.model().images.map(({ app }) => app)).toEqual(['apps/gateway']);
    });
  });
});

test('what is said of the container is what it gets', () => {
  const platform = released({
    imageHub: 'registry.example/shop',
    istioTag: '1.29.2',
    imagePullSecrets: ['platform-key'],
  });
  const rendered = meshWith(
    (shop) =>
      new GrpcService(shop, 'cart', {
        image: 'cart:1.4.0',
        service: OrdersService,
        port: 7070,
        imagePullSecrets: ['cart-key', 'platform-key'],
        env: { PORT: '7070', PRICE: '$$', TOKEN: { secret: 'tokens', key: 'api' } },
        resources: { requests: { cpu: '1', memory: '1Gi' }, limits: { cpu: '2', memory: '2Gi' } },
        replicas: 2,
        autoscaling: { maxReplicas: 5 },
        shutdown: { drainSeconds: 45, graceSeconds: 60 },
        command: ['/server'],
        args: ['--verbose', '--port=$(PORT)'],
        probes: {
          startup: { exec: ['/probe', '--once'] },
          readiness: { http: { path: '/ready', port: 8081 } },
          liveness: { grpc: { service: 'test.orders.v1.OrdersService' } },
        },
        user: 1000,
        metrics: { port: 9464, path: '/stats' },
      }),
    platform,
  );
  const { metadata, spec: pod } = podOf(rendered);
  expect(pod.containers).toEqual([
    {
      name: 'cart',
      image: 'registry.example/shop/cart:1.4.0',
      imagePullPolicy: 'IfNotPresent',
      command: ['/server'],
      args: ['--verbose', '--port=$(PORT)'],
      env: [
        { name: 'PORT', value: '7070' },
        { name: 'PRICE', value: '$$$$' },
        { name: 'TOKEN', valueFrom: { secretKeyRef: { name: 'tokens', key: 'api' } } },
      ],
      ports: [{ name: 'grpc', containerPort: 7070, protocol: 'TCP' }],
      resources: { requests: { cpu: '1', memory: '1Gi' }, limits: { cpu: '2', memory: '2Gi' } },
      securityContext: {
        allowPrivilegeEscalation: false,
        capabilities: { drop: ['ALL'] },
        readOnlyRootFilesystem: true,
        runAsNonRoot: true,
        runAsUser: 1000,
      },
      startupProbe: {
        exec: { command: ['/probe', '--once'] },
        periodSeconds: 1,
        failureThreshold: 60,
        timeoutSeconds: 2,
      },
      readinessProbe: {
        httpGet: { path: '/ready', port: 8081 },
        periodSeconds: 5,
        failureThreshold: 2,
        timeoutSeconds: 2,
      },
      livenessProbe: {
        grpc: { port: 7070, service: 'test.orders.v1.OrdersService' },
        periodSeconds: 10,
        failureThreshold: 3,
        timeoutSeconds: 2,
      },
      lifecycle: { preStop: { sleep: { seconds: 10 } } },
    },
  ]);
  expect(pod.terminationGracePeriodSeconds).toBe(60);
  expect(metadata.annotations).toMatchObject({
    'prometheus.io/scrape': 'true',
    'prometheus.io/port': '9464',
    'prometheus.io/path': '/stats',
  });
  expect(objectOf(rendered, 'east', 'ServiceAccount', 'cart')?.['imagePullSecrets']).toEqual([
    { name: 'platform-key' },
    { name: 'cart-key' },
  ]);
  expect(spec(rendered, 'HorizontalPodAutoscaler')).toMatchObject({ minReplicas: 2, maxReplicas: 5 });
});

test('a container that is asked nothing has no probe', () => {
  const rendered = meshWith(
    (shop) => new GrpcService(shop, 'cart', { image, service: OrdersService, port: 7070, probes: 'none' }),
  );
  for (const name of ['startupProbe', 'readinessProbe', 'livenessProbe'])
    expect(podOf(rendered).spec.containers[0]).not.toHaveProperty(name);
});
