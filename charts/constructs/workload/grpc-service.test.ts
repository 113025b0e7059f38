import { describe, expect, test } from '@jest/globals';
import { InventoryService } from '../../../gen/test/inventory/v1/inventory_pb.js';
import { OrdersService } from '../../../gen/test/orders/v1/orders_pb.js';
import { synthesize } from '../../synth.ts';
import { expectGolden } from '../../testing/golden.ts';
import { catalogIn, objectOf, objectsOf, problemsOf, twoClusters } from '../../testing/mesh.ts';
import { withProject } from '../../testing/project.ts';
import type { AppFixture } from '../../testing/project.ts';
import { GrpcService } from './grpc-service.ts';

describe('with an HTTP gateway and two replicas, in one cluster', () => {
  const rendered = withProject({}, (root) => {
    const mesh = twoClusters(root);
    catalogIn(mesh.namespace('shop'), { placement: ['east'] });
    return synthesize(mesh);
  });

  test('the pods run where they are placed; the name and the identity are everywhere', () => {
    const kinds = (cluster: string) => objectsOf(rendered, cluster, 'shop').map(({ kind }) => kind);
    const everywhere = ['Namespace', 'EnvoyFilter', 'Service', 'ServiceAccount', 'Sidecar'];
    const traffic = ['DestinationRule', 'VirtualService'];
    const pods = ['Deployment', 'PodDisruptionBudget', 'ConfigMap'];
    expect(kinds('east')).toEqual([...everywhere, ...pods, ...traffic]);
    expect(kinds('west')).toEqual([...everywhere, ...traffic]);
    expectGolden(import.meta.url, 'grpc-service', objectsOf(rendered, 'east', 'shop'));
  });

  test('istiod reads the protocols from the Service', () => {
    expect(objectOf(rendered, 'west', 'Service', 'catalog')).toMatchObject({
      spec: {
        selector: { 'app.kubernetes.io/name': 'catalog' },
        ports: [
          { name: 'grpc', port: 50051, targetPort: 'grpc', appProtocol: 'grpc' },
          { name: 'http', port: 8081, targetPort: 'http', appProtocol: 'http' },
        ],
      },
    });
  });

  test('the gateway container has the port of this config.yml, and calls its neighbour over the loopback', () => {
    const [service, gateway] = containersOf(objectOf(rendered, 'east', 'Deployment', 'catalog'));
    expect(service).toMatchObject({ name: 'catalog', ports: [{ name: 'grpc', containerPort: 50051 }] });
    expect(gateway).toMatchObject({ name: 'http-gateway', ports: [{ name: 'http', containerPort: 8081 }] });
    expect(environmentOf(gateway)).toMatchObject({
      HTTP_PORT: '8081',
      UPSTREAMS: 'test.catalog.v1.CatalogService=127.0.0.1:50051',
    });
    expect(environmentOf(service)).not.toHaveProperty('HTTP_PORT');
  });

  test('the metrics of both containers are where the annotations have the proxy look', () => {
    const deployment = objectOf(rendered, 'east', 'Deployment', 'catalog');
    expect(containersOf(deployment).map((each) => environmentOf(each)['METRICS_PORT'])).toEqual([
      '9464',
      '9465',
    ]);
    expect(podAnnotations(deployment)).toMatchObject({
      'prometheus.io/scrape': 'true',
      'prometheus.io/port': '9464',
      'prometheus.io/path': '/metrics',
      'prometheus.istio.io/scrape-targets': '9464:/metrics,9465:/metrics',
    });
  });

  test('every container passes Pod Security restricted and has a root file system it cannot write', () => {
    const deployment = objectOf(rendered, 'east', 'Deployment', 'catalog');
    expect(deployment).toMatchObject({
      spec: {
        template: {
          spec: { securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } } },
        },
      },
    });
    const containers = containersOf(deployment);
    expect(containers).toHaveLength(2);
    for (const container of containers) {
      expect(container).toMatchObject({
        securityContext: {
          allowPrivilegeEscalation: false,
          capabilities: { drop: ['ALL'] },
          readOnlyRootFilesystem: true,
          runAsNonRoot: true,
        },
        resources: { requests: { cpu: '50m', memory: '64Mi' }, limits: { memory: '128Mi' } },
      });
    }
  });
});

test('a plain service: one container with gRPC probes, and the environment of its config.yml after the given one', () => {
  withProject({}, (root) => {
    const mesh = twoClusters(root);
    new GrpcService(mesh.namespace('shop'), 'orders', { app: 'apps/orders', service: OrdersService });
    const deployment = objectOf(synthesize(mesh), 'west', 'Deployment', 'orders');
    const [container, ...more] = containersOf(deployment);
    expect(more).toEqual([]);
    expect(container).toMatchObject({
      startupProbe: { grpc: { port: 50052 } },
      readinessProbe: { grpc: { port: 50052 } },
      livenessProbe: { grpc: { port: 50052 } },
    });
    expect(Object.entries(environmentOf(container))).toEqual([
      ['CLUSTER_NAME', 'west'],
      ['POD_NAME', 'metadata.name'],
      ['POD_NAMESPACE', 'metadata.namespace'],
      ['GRPC_PORT', '50052'],
      ['METRICS_PORT', '9464'],
      ['SERVICE_VERSION', expect.stringMatching(/^1\.2\.3-[0-9a-f]{12}$/)],
      ['DRAIN_DELAY_MS', '10000'],
      ['DRAIN_LIMIT_MS', '15000'],
      ['CURRENCY', 'EUR'],
    ]);
    expect(podAnnotations(deployment)).toEqual({
      'checksum/proxy-config': expect.any(String),
      'prometheus.io/scrape': 'true',
      'prometheus.io/port': '9464',
      'prometheus.io/path': '/metrics',
    });
  });
});

test('a gateway container without a port of its own listens where the gateway app does', () => {
  withProject({ catalog: { ports: { grpc: 50051 } } }, (root) => {
    const mesh = twoClusters(root);
    expect(catalogIn(mesh.namespace('shop')).ports).toEqual({ grpc: 50051, http: 8080 });
  });
});

test('methods are values that hold the construct and the descriptor', () => {
  withProject({}, (root) => {
    const catalog = catalogIn(twoClusters(root).namespace('shop'));
    const { getProduct, watchPrices } = catalog.method;
    expect(getProduct.service).toBe(catalog);
    expect([getProduct.descriptor.name, getProduct.kind]).toEqual(['GetProduct', 'unary']);
    expect([watchPrices.descriptor.name, watchPrices.kind]).toEqual(['WatchPrices', 'server_streaming']);
    expect(Object.keys(catalog.method)).toEqual(['getProduct', 'listProducts', 'watchPrices']);
  });
});

describe('problems', () => {
  test('of names and placements, all at once', () => {
    withProject({}, (root) => {
      const mesh = twoClusters(root);
      const shop = mesh.namespace('shop');
      const place = (name: string, placement: readonly string[]) =>
        new GrpcService(shop, name, {
          app: 'apps/inventory',
          service: InventoryService,
          placement: placement as readonly 'east'[],
        });
      place('inventory', ['east']);
      place('inventory', ['west']);
      place('Stock', ['eats', 'moon']);
      place('2nd', []);
      place('twice', ['west', 'west']);
      const rule =
        'allowed a DNS label: 1 to 63 characters of a-z, 0-9 and hyphen, no hyphen at either end, starting with a letter';
      expect(problemsOf(mesh)).toEqual([
        'demo/shop/inventory: the namespace has two services of this name; received "inventory"; fix: rename one',
        `demo/shop/Stock: the name of the service is not valid; received "Stock"; ${rule}`,
        'demo/shop/Stock: placement: the mesh has no such cluster; received "eats"; allowed east, west; fix: did you mean east?',
        'demo/shop/Stock: placement: the mesh has no such cluster; received "moon"; allowed east, west',
        `demo/shop/2nd: the name of the service is not valid; received "2nd"; ${rule}`,
        'demo/shop/2nd: placement: the placement is empty; received []; allowed east, west; ' +
          'fix: name a cluster, or leave the placement out for all clusters',
        'demo/shop/twice: placement: the cluster is listed twice; received "west"; fix: remove one',
      ]);
    });
  });

  test('a cluster that is nearly right is suggested', () => {
    withProject({}, (root) => {
      const mesh = twoClusters(root);
      catalogIn(mesh.namespace('shop'), { placement: ['easT' as 'east'] });
      expect(problemsOf(mesh)).toEqual([
        'demo/shop/catalog: placement: the mesh has no such cluster; received "easT"; allowed east, west; ' +
          'fix: did you mean east?',
      ]);
    });
  });

  test('a descriptor that the app does not serve', () => {
    withProject({}, (root) => {
      const mesh = twoClusters(root);
      new GrpcService(mesh.namespace('shop'), 'stock', { app: 'apps/orders', service: InventoryService });
      expect(problemsOf(mesh)).toEqual([
        'demo/shop/stock: service: apps/orders/config.yml does not list it in services; ' +
          'received "test.inventory.v1.InventoryService"; allowed test.orders.v1.OrdersService; ' +
          'fix: pass a service the app serves, or add test.inventory.v1.InventoryService to services in apps/orders/config.yml',
      ]);
    });
  });

  const broken: readonly (readonly [
    string,
    Readonly<Record<string, AppFixture | undefined>>,
    readonly string[],
  ])[] = [
    [
      'a missing config.yml',
      { catalog: undefined },
      [
        'apps/catalog/config.yml: no such file; allowed apps/gateway, apps/inventory, apps/orders; fix: create apps/catalog/config.yml',
      ],
    ],
    [
      'proto services that nothing is declared with',
      {
        catalog: {
          services: ['test.catalog.v1.CatalogService', 'test.catalog.v1.CatalogServce', 'billing.Invoices'],
        },
      },
      [
        'apps/catalog/config.yml: services[1]: no GrpcService of the mesh is declared with this proto service; ' +
          'received "test.catalog.v1.CatalogServce"; allowed test.catalog.v1.CatalogService; ' +
          'fix: did you mean test.catalog.v1.CatalogService?',
        'apps/catalog/config.yml: services[2]: no GrpcService of the mesh is declared with this proto service; ' +
          'received "billing.Invoices"; allowed test.catalog.v1.CatalogService; ' +
          'fix: declare one with it, or remove it',
      ],
    ],
    [
      'an app that serves nothing',
      { catalog: { services: [], httpGateway: false } },
      [
        'demo/shop/catalog: service: apps/catalog/config.yml does not list it in services; ' +
          'received "test.catalog.v1.CatalogService"; allowed none, as services is empty; ' +
          'fix: pass a service the app serves, or add test.catalog.v1.CatalogService to services in apps/catalog/config.yml',
      ],
    ],
    [
      'no app for the gateway container',
      { gateway: undefined },
      [
        'apps/gateway/config.yml: no such file; allowed apps/catalog, apps/inventory, apps/orders; fix: create apps/gateway/config.yml',
      ],
    ],
    [
      'a gateway container that listens nowhere',
      { catalog: { ports: { grpc: 50051 } }, gateway: { ports: { grpc: 50051 } } },
      [
        'demo/shop/catalog: app: apps/catalog/config.yml asks for an HTTP gateway, and neither it nor ' +
          'apps/gateway/config.yml has ports.http; fix: add ports.http, usually 8080',
      ],
    ],
    [
      'a gateway container on the port of the app',
      // The port of apps/gateway, as this app's config.yml says none.
      { catalog: { ports: { grpc: 8080 } } },
      [
        'demo/shop/catalog: app: ports.grpc in apps/catalog/config.yml is also the port of its HTTP gateway; ' +
          'received 8080; fix: give ports.grpc, or ports.http there, another number',
      ],
    ],
  ];
  test.each(broken)('%s', (_, apps, expected) => {
    withProject(apps, (root) => {
      const mesh = twoClusters(root);
      catalogIn(mesh.namespace('shop'));
      expect(problemsOf(mesh)).toEqual(expected);
    });
  });

  test('what two services share is reported once', () => {
    withProject({ gateway: undefined }, (root) => {
      const mesh = twoClusters(root);
      catalogIn(mesh.namespace('a'));
      catalogIn(mesh.namespace('b'));
      expect(problemsOf(mesh)).toHaveLength(1);
    });
  });
});

interface Container {
  readonly env: readonly {
    readonly name: string;
    readonly value?: string;
    readonly valueFrom?: { readonly fieldRef: { readonly fieldPath: string } };
  }[];
}

function containersOf(deployment: unknown): readonly Container[] {
  const { spec } = deployment as { spec: { template: { spec: { containers: Container[] } } } };
  return spec.template.spec.containers;
}

function environmentOf(container: Container | undefined): Readonly<Record<string, string | undefined>> {
  const entries = container?.env.map(({ name, value, valueFrom }) => [
    name,
    value ?? valueFrom?.fieldRef.fieldPath,
  ]);
  return Object.fromEntries(entries ?? []) as Record<string, string | undefined>;
}

function podAnnotations(deployment: unknown): Readonly<Record<string, string>> {
  const { spec } = deployment as {
    spec: { template: { metadata: { annotations: Record<string, string> } } };
  };
  return spec.template.metadata.annotations;
}
