import { describe, expect, test } from '@jest/globals';
import { CatalogService } from '../../../gen/test/catalog/v1/catalog_pb.js';
import { InventoryService } from '../../../gen/test/inventory/v1/inventory_pb.js';
import { synthesize } from '../../synth.ts';
import { expectGolden } from '../../testing/golden.ts';
import { objectOf, objectsOf, problemsOf, twoClusters } from '../../testing/mesh.ts';
import { withProject } from '../../testing/project.ts';
import { GrpcService, type VersionProps } from './grpc-service.ts';

type Versions = Readonly<Record<string, VersionProps<'east' | 'west'>>>;

function catalogWith(
  root: string,
  versions: Versions,
  placement: readonly ('east' | 'west')[] = ['east', 'west'],
) {
  const mesh = twoClusters(root);
  const shop = mesh.namespace('shop');
  const catalog = new GrpcService(shop, 'catalog', {
    app: 'apps/catalog',
    service: CatalogService,
    placement,
    versions,
  });
  return { mesh, shop, catalog };
}

describe('two versions, one of them a canary in one cluster', () => {
  const { rendered, model, versions } = withProject({}, (root) => {
    const { mesh, catalog } = catalogWith(root, {
      v1: { image: 'catalog:1.4.0' },
      v2: { image: 'registry.example/shop/catalog:2.0.0', placement: ['west'], replicas: 1 },
    });
    return { rendered: synthesize(mesh), model: mesh.model(), versions: catalog.versions };
  });

  test('a Deployment each, with its own pods, behind one Service and one identity', () => {
    const west = objectsOf(rendered, 'west', 'shop');
    const names = west.map(({ kind, metadata }) => `${kind} ${metadata.name}`);
    expect(names).toEqual([
      'Namespace shop',
      'EnvoyFilter catalog',
      'Service catalog',
      'ServiceAccount catalog',
      'Sidecar catalog',
      expect.stringMatching(/^ConfigMap catalog-descriptors-[0-9a-f]{10}$/),
      'Deployment catalog-v1',
      'PodDisruptionBudget catalog-v1',
      'Deployment catalog-v2',
      'DestinationRule catalog',
      'VirtualService catalog',
    ]);
    for (const version of ['v1', 'v2']) {
      const labels = { 'app.kubernetes.io/name': 'catalog', version };
      expect(objectOf(rendered, 'west', 'Deployment', `catalog-${version}`)).toMatchObject({
        spec: {
          selector: { matchLabels: labels },
          template: { metadata: { labels }, spec: { serviceAccountName: 'catalog' } },
        },
      });
    }
    expect(objectOf(rendered, 'west', 'Service', 'catalog')).toMatchObject({
      spec: { selector: { 'app.kubernetes.io/name': 'catalog' } },
    });
    expectGolden(
      import.meta.url,
      'versions',
      west.filter(({ metadata }) => metadata.name.startsWith('catalog-v')),
    );
  });

  test('each from its own image and where it is placed', () => {
    const image = (cluster: string, name: string) => {
      const deployment = objectOf(rendered, cluster, 'Deployment', name) as unknown as
        { spec: { template: { spec: { containers: { image: string }[] } } } } | undefined;
      return deployment?.spec.template.spec.containers[0]?.image;
    };
    expect(image('east', 'catalog-v1')).toBe('localhost/meshwright/catalog:1.4.0');
    expect(image('west', 'catalog-v2')).toBe('registry.example/shop/catalog:2.0.0');
    expect(image('east', 'catalog-v2')).toBeUndefined();
  });

  test('the budgets and the spread of a version look at its own pods', () => {
    const matchLabels = { 'app.kubernetes.io/name': 'catalog', version: 'v1' };
    expect(objectOf(rendered, 'east', 'PodDisruptionBudget', 'catalog-v1')).toMatchObject({
      spec: { selector: { matchLabels } },
    });
    expect(objectOf(rendered, 'east', 'Deployment', 'catalog-v1')).toMatchObject({
      spec: {
        template: {
          spec: {
            topologySpreadConstraints: [
              { labelSelector: { matchLabels } },
              { labelSelector: { matchLabels } },
            ],
          },
        },
      },
    });
  });

  test('the model tells where each one runs, and how often', () => {
    expect(versions).toEqual(['v1', 'v2']);
    expect(model.workloads[0]?.deployments).toEqual([
      { name: 'catalog-v1', version: 'v1', placement: ['east', 'west'], replicas: 2 },
      { name: 'catalog-v2', version: 'v2', placement: ['west'], replicas: 1 },
    ]);
  });
});

test('without versions the one Deployment keeps its name and selector, and its pods are v1', () => {
  withProject({}, (root) => {
    const mesh = twoClusters(root);
    const service = new GrpcService(mesh.namespace('shop'), 'stock', {
      app: 'apps/inventory',
      service: InventoryService,
    });
    expect(service.versions).toEqual(['v1']);
    expect(objectOf(synthesize(mesh), 'east', 'Deployment', 'stock')).toMatchObject({
      spec: {
        selector: { matchLabels: { 'app.kubernetes.io/name': 'stock' } },
        template: { metadata: { labels: { 'app.kubernetes.io/name': 'stock', version: 'v1' } } },
      },
    });
  });
});

test.each([
  'catalog@sha256:' + 'a'.repeat(64),
  'localhost/x/catalog:1.2.3',
  'h:5000/catalog:2-rc.1',
  'team/catalog:1.0.0',
])('the image %s will do', (image) => {
  withProject({}, (root) => {
    expect(problemsOf(catalogWith(root, { v1: { image } }).mesh)).toEqual([]);
  });
});

describe('problems', () => {
  const rule =
    'allowed NAME:TAG or NAME@sha256:DIGEST, with or without a registry; a tag that is never moved';
  const cases: readonly (readonly [string, unknown, readonly string[]])[] = [
    [
      'no version',
      {},
      [
        'demo/shop/catalog: versions: is empty; received {}; ' +
          "fix: add one, or leave versions out to run only the app's own image",
      ],
    ],
    [
      'images that may change',
      { v1: { image: 'catalog' }, v2: { image: 'catalog:latest' }, v3: { image: 'h:5000/catalog' } },
      [
        `demo/shop/catalog: versions.v1.image: the image has no tag; received "catalog"; ${rule}`,
        `demo/shop/catalog: versions.v2.image: the tag latest may be moved to another image; received "catalog:latest"; ${rule}`,
        `demo/shop/catalog: versions.v3.image: the image has no tag; received "h:5000/catalog"; ${rule}`,
      ],
    ],
    [
      'what is no image, name, number or placement',
      {
        V_1: { image: 'a b:1' },
        v2: { image: 7, replicas: 1.5, placement: 'west' },
        v3: null,
        v4: { imag: 'a:1' },
      },
      [
        'demo/shop/catalog: versions.V_1: the name of the version is not valid; received "V_1"; ' +
          'allowed a DNS label: 1 to 63 characters of a-z, 0-9 and hyphen, no hyphen at either end',
        `demo/shop/catalog: versions.V_1.image: is not an image reference; received "a b:1"; ${rule}`,
        `demo/shop/catalog: versions.v2.image: is not an image reference; received 7; ${rule}`,
        'demo/shop/catalog: versions.v2: placement: is not a list of clusters; received "west"; allowed west',
        'demo/shop/catalog: versions.v2.replicas: is not a number of pods; received 1.5; allowed a whole number from 0 to 1000',
        'demo/shop/catalog: versions.v3: is not an object; received null; allowed an object with the keys image, placement, replicas',
        'demo/shop/catalog: versions.v4.imag: unknown key; received "imag"; allowed image, placement, replicas; fix: did you mean image?',
      ],
    ],
    [
      'clusters the service does not run in',
      { v1: { placement: ['east'] }, v2: { placement: [] } },
      [
        'demo/shop/catalog: versions.v1: placement: the service does not run there; received "east"; allowed west',
        'demo/shop/catalog: versions.v2: placement: the placement is empty; received []; allowed west; ' +
          'fix: name a cluster, or leave the placement out for all clusters',
      ],
    ],
    [
      'a Deployment whose name is taken',
      { stock: {} },
      [
        'demo/shop/catalog: versions.stock: its Deployment would be called catalog-stock, like the service ' +
          'demo/shop/catalog-stock; fix: rename the version or that service',
      ],
    ],
    [
      'a name too long for a Deployment',
      { ['v'.repeat(60)]: {} },
      [
        `demo/shop/catalog: versions.${'v'.repeat(60)}: its Deployment's name catalog-${'v'.repeat(60)} is longer than ` +
          '63 characters; fix: shorten the name of the version or of the service',
      ],
    ],
  ];
  test.each(cases)('%s', (_, versions, expected) => {
    withProject({}, (root) => {
      const { mesh, shop } = catalogWith(root, versions as Versions, ['west']);
      new GrpcService(shop, 'catalog-stock', { app: 'apps/inventory', service: InventoryService });
      expect(problemsOf(mesh)).toEqual(expected);
    });
  });

  test('a cluster of the service where none of its versions runs', () => {
    withProject({}, (root) => {
      const { mesh } = catalogWith(root, { v1: { placement: ['east'] }, v2: { placement: ['east'] } });
      expect(problemsOf(mesh)).toEqual([
        'demo/shop/catalog: versions: no version runs in west, which the placement of the service includes; ' +
          'fix: place a version there, or remove west from the placement of the service',
      ]);
    });
  });

  test('a Deployment whose name that of another version has', () => {
    withProject({}, (root) => {
      const { mesh, shop } = catalogWith(root, { 'a-b': {}, b: {} });
      const props = { app: 'apps/inventory', service: InventoryService };
      new GrpcService(shop, 'catalog-a', { ...props, versions: { b: {}, c: {} } });
      expect(problemsOf(mesh)).toEqual([
        'demo/shop/catalog-a: versions.b: its Deployment would be called catalog-a-b, like that of a version of ' +
          'demo/shop/catalog; fix: rename the version or that one',
      ]);
    });
  });
});
