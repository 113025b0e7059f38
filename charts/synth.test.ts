import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseAllDocuments } from 'yaml';
import { CatalogService } from '../gen/shop/catalog/v1/catalog_pb.js';
import { InventoryService } from '../gen/shop/inventory/v1/inventory_pb.js';
import { OrdersService } from '../gen/shop/orders/v1/orders_pb.js';
import { GrpcService } from './constructs/grpc-service.ts';
import { HttpEdge } from './constructs/edge/http-edge.ts';
import { Mesh } from './constructs/mesh.ts';
import type { Method } from './constructs/method.ts';
import { reservedNamespaces } from './constructs/names.ts';
import { Workload } from './constructs/workload.ts';
import { synthShop } from './main.ts';
import { lab, released } from './platforms.ts';
import { stages } from './stage.ts';
import { synthesize } from './synth.ts';
import type { RenderedStage } from './synth.ts';
import { objectOf, objectsOf } from './testing/mesh.ts';
import { withProject } from './testing/project.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

/** What has to be the same in all clusters: everything of the mesh as a whole and what callers lean on. */
function sharedPart(rendered: readonly RenderedStage[], cluster: string): string {
  const shared = rendered.filter(
    (stage) => stage.cluster === cluster && ['30-mesh', '40-services', '60-traffic'].includes(stage.stage),
  );
  const namespaces = objectsOf(rendered, cluster).filter(
    ({ kind, metadata }) => kind === 'Namespace' && !reservedNamespaces.includes(metadata.name),
  );
  return JSON.stringify([shared.map(({ yaml }) => yaml), namespaces]);
}

describe('the shop', () => {
  const { model, rendered } = synthShop(root);

  test('renders every stage of both clusters, in order', () => {
    expect(rendered.map(({ path }) => path)).toEqual(
      ['east', 'west'].flatMap((cluster) => stages.map((stage) => `${cluster}/${stage}.k8s.yaml`)),
    );
  });

  test('is rendered to the same bytes each time', () => {
    expect(synthShop(root).rendered.map(({ yaml }) => yaml)).toEqual(rendered.map(({ yaml }) => yaml));
  });

  test('is the same in both clusters but for what belongs to one of them', () => {
    expect(sharedPart(rendered, 'east')).toBe(sharedPart(rendered, 'west'));
  });

  test('runs each workload in its placement only', () => {
    const running = (cluster: string) =>
      objectsOf(rendered, cluster, 'shop')
        .filter(({ kind }) => kind === 'Deployment')
        .map(({ metadata }) => metadata.name);
    const placements = Object.fromEntries(model.workloads.map(({ name, placement }) => [name, placement]));
    // The sample's own; a further service does not break this test.
    expect(placements).toMatchObject({
      catalog: ['east', 'west'],
      edge: ['east', 'west'],
      inventory: ['west'],
      orders: ['east'],
    });
    for (const cluster of ['east', 'west']) {
      const placed = Object.keys(placements).filter((name) => placements[name]?.includes(cluster));
      expect(running(cluster)).toEqual(placed.sort());
    }
  });

  test('uses the images of the model, all of them by an immutable tag', () => {
    const text = rendered.map(({ yaml }) => yaml).join('\n');
    const used = [...text.matchAll(/image: (\S+)$/gm)].map(([, image]) => image);
    expect([...new Set(used)].sort()).toEqual(
      ['auto', ...model.images.map(({ reference }) => reference)].sort(),
    );
    for (const { reference } of model.images) expect(reference).toMatch(/:\d+\.\d+\.\d+-[0-9a-f]{12}$/);
  });

  test('reads back from YAML as the objects it was rendered from', () => {
    for (const { yaml, objects } of rendered) {
      expect(parseAllDocuments(yaml).map((document) => document.toJS() as unknown)).toEqual(objects);
    }
  });
});

/** A DNS label that begins with a letter and is no namespace of the mesh itself. */
const name = fc
  .stringMatching(/^[a-z]([-a-z0-9]{0,8}[a-z0-9])?$/)
  .filter((text) => !reservedNamespaces.includes(text));

const anyMesh = fc.uniqueArray(name, { minLength: 2, maxLength: 4 }).chain((clusters) =>
  fc.record({
    clusters: fc.constant(clusters),
    regions: fc.array(fc.constantFrom('r1', 'r2', 'r3'), {
      minLength: clusters.length,
      maxLength: clusters.length,
    }),
    platform: fc.constantFrom(lab, released({ imageHub: 'registry.example/shop', istioTag: '1.29.2' })),
    namespaces: fc.uniqueArray(name, { minLength: 1, maxLength: 2 }),
    services: fc.uniqueArray(
      fc.record({
        name,
        app: fc.constantFrom('catalog', 'inventory', 'orders'),
        placement: fc.option(fc.subarray(clusters, { minLength: 1 }), { nil: undefined }),
      }),
      { maxLength: 5, selector: (service) => service.name },
    ),
    edge: fc.boolean(),
    // Caller, callee and method, as indices into what there is.
    calls: fc.array(fc.tuple(fc.nat(), fc.nat(), fc.nat()), { maxLength: 8 }),
  }),
);

const descriptors = { catalog: CatalogService, inventory: InventoryService, orders: OrdersService } as const;

function declare(
  project: string,
  drawn: typeof anyMesh extends fc.Arbitrary<infer T> ? T : never,
): Mesh<string> {
  const clusters = Object.fromEntries(
    drawn.clusters.map((cluster, index) => {
      const region = drawn.regions[index] ?? 'r1';
      return [cluster, { network: `net-${cluster}`, region, zone: `${region}-a` }];
    }),
  );
  const mesh = new Mesh('demo', {
    root: project,
    trustDomain: 'demo.example',
    clusters,
    platform: drawn.platform,
  });
  const namespaces = drawn.namespaces.map((namespace) => mesh.namespace(namespace));
  const services = drawn.services.map(({ name: id, app, placement }, index) => {
    const service = descriptors[app];
    const place = placement === undefined ? {} : { placement };
    return new GrpcService(namespaces[index % namespaces.length]!, id, {
      app: `apps/${app}`,
      service,
      ...place,
    });
  });
  for (const [caller, callee, method] of services.length === 0 ? [] : drawn.calls) {
    const methods = Object.values<Method>(services[callee % services.length]!.method);
    services[caller % services.length]!.calls(methods[method % methods.length]!);
  }
  const first = services.filter(
    (service, index) => services.findIndex((other) => other.app === service.app) === index,
  );
  // Too long to be one of the drawn names.
  if (drawn.edge && first.length > 0) new HttpEdge(namespaces[0]!, 'the-http-edge', { expose: first });
  return mesh;
}

/** Every call edge that the rendered policies let through, as `cluster: principal -> namespace/workload path`. */
function granted(rendered: readonly RenderedStage[], clusters: readonly string[]): readonly string[] {
  interface Policy {
    readonly selector: { readonly matchLabels: Readonly<Record<string, string>> };
    readonly rules: readonly {
      readonly from?: readonly { readonly source: { readonly principals: readonly string[] } }[];
      readonly to: readonly { readonly operation: { readonly paths?: readonly string[] } }[];
    }[];
  }
  return clusters
    .flatMap((cluster) =>
      objectsOf(rendered, cluster)
        .filter(
          ({ kind, metadata }) =>
            kind === 'AuthorizationPolicy' && !reservedNamespaces.includes(metadata.namespace!),
        )
        .flatMap(({ metadata, spec }) =>
          (spec as Policy).rules.flatMap(({ from, to }) =>
            (to[0]!.operation.paths ?? []).map(
              (path) =>
                `${cluster}: ${from![0]!.source.principals[0]!} -> ${metadata.namespace!}/` +
                `${(spec as Policy).selector.matchLabels['app.kubernetes.io/name']!} ${path}`,
            ),
          ),
        ),
    )
    .sort();
}

/** The same of what was declared. */
function declared(mesh: Mesh<string>, clusters: readonly string[]): readonly string[] {
  const workloads = mesh.node.findAll().filter((part) => part instanceof Workload);
  const edges = clusters.flatMap((cluster) =>
    workloads.flatMap(({ calledMethods, namespace, name: caller }) =>
      calledMethods.map(
        ({ service, descriptor }) =>
          `${cluster}: demo.example/ns/${namespace.name}/sa/${caller} -> ${service.namespace.name}/${service.name} ` +
          `/${descriptor.parent.typeName}/${descriptor.name}`,
      ),
    ),
  );
  return [...new Set(edges)].sort();
}

test('any valid mesh renders, twice to the same bytes, the same in every cluster, runs where it is placed, and lets exactly the declared calls through', () => {
  withProject({}, (project) => {
    fc.assert(
      fc.property(anyMesh, (drawn) => {
        const mesh = declare(project, drawn);
        const rendered = synthesize(mesh);
        const again = synthesize(declare(project, drawn));
        expect(again.map(({ yaml }) => yaml)).toEqual(rendered.map(({ yaml }) => yaml));
        expect(granted(rendered, drawn.clusters)).toEqual(declared(mesh, drawn.clusters));
        const [first, ...others] = drawn.clusters.map((cluster) => sharedPart(rendered, cluster));
        for (const other of others) expect(other).toBe(first);
        for (const workload of mesh.model().workloads) {
          const placed = drawn.clusters.filter((cluster) =>
            objectsOf(rendered, cluster, workload.namespace).some(
              ({ kind, metadata }) => kind === 'Deployment' && metadata.name === workload.name,
            ),
          );
          expect(placed).toEqual(workload.placement);
          for (const cluster of drawn.clusters) {
            const own = objectsOf(rendered, cluster, workload.namespace).filter(
              ({ metadata }) => metadata.name === workload.name,
            );
            expect(own.map(({ kind }) => kind)).toEqual(
              expect.arrayContaining(['Service', 'ServiceAccount']),
            );
          }
        }
        for (const cluster of drawn.clusters) {
          expect(objectOf(rendered, cluster, 'IstioOperator', 'istio')).toMatchObject({
            spec: {
              values: { global: { multiCluster: { clusterName: cluster }, network: `net-${cluster}` } },
            },
          });
        }
      }),
      { numRuns: 40 },
    );
  });
});
