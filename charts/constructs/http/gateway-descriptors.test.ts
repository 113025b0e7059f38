import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { create, createFileRegistry, fromBinary, fromJson, setExtension } from '@bufbuild/protobuf';
import type { DescService } from '@bufbuild/protobuf';
import {
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
  MethodOptionsSchema,
} from '@bufbuild/protobuf/wkt';
import type { ProtoComments } from '../../../apps/config/descriptors/descriptor-set.ts';
import { http } from '../../../gen/google/api/annotations_pb.js';
import { HttpRuleSchema } from '../../../gen/google/api/http_pb.js';
import { CatalogService } from '../../../gen/test/catalog/v1/catalog_pb.js';
import { InventoryService } from '../../../gen/test/inventory/v1/inventory_pb.js';
import { OrdersService } from '../../../gen/test/orders/v1/orders_pb.js';
import { library } from '../../../http-rule/testing/library.ts';
import type { KubernetesObject } from '../../model/mesh-model.ts';
import { lab } from '../../platforms.ts';
import { synthesize } from '../../synth.ts';
import { clusters, objectOf, objectsOf, problemsOf } from '../../testing/mesh.ts';
import { withProject } from '../../testing/project.ts';
import { HttpEdge } from '../edge/http-edge.ts';
import { Mesh } from '../mesh.ts';
import { GrpcService } from '../workload/grpc-service.ts';
import { GatewayDescriptors } from './gateway-descriptors.ts';

const comments: ProtoComments = {
  'test/catalog/v1/catalog.proto': [{ path: [6, 0], text: 'What is sold.' }],
  'test/orders/v1/orders.proto': [{ path: [6, 0], text: 'Orders.' }],
};

/** The catalog with a gateway beside it, in the east, and an edge for each service; only the one for orders is in the east alone. */
function shop(root: string, said?: ProtoComments): Mesh<'east' | 'west'> {
  const mesh = new Mesh('demo', {
    ...{ root, trustDomain: 'demo.example', clusters, platform: lab },
    ...(said && { comments: said }),
  });
  const namespace = mesh.namespace('shop');
  const catalog = new GrpcService(namespace, 'catalog', {
    app: 'apps/catalog',
    service: CatalogService,
    placement: ['east'],
  });
  const inventory = new GrpcService(namespace, 'inventory', {
    app: 'apps/inventory',
    service: InventoryService,
  });
  const orders = new GrpcService(namespace, 'orders', { app: 'apps/orders', service: OrdersService });
  new HttpEdge(namespace, 'goods', {
    expose: [catalog, inventory.method.getStock],
    hosts: ['goods.example'],
  });
  new HttpEdge(namespace, 'sales', { expose: [orders], hosts: ['sales.example'], placement: ['east'] });
  return mesh;
}

type Rendered = ReturnType<typeof synthesize>;
const workloads = ['catalog', 'goods', 'sales'];

/** The ConfigMap of a workload, in a cluster that it runs in. */
function mapOf(rendered: Rendered, workload: string, cluster = 'east') {
  const maps = objectsOf(rendered, cluster).filter(
    ({ kind, metadata }) => kind === 'ConfigMap' && metadata.name.startsWith(`${workload}-descriptors-`),
  );
  expect(maps.length).toBeLessThan(2);
  return maps[0] as
    (KubernetesObject & { data: Record<string, string>; binaryData: Record<string, string> }) | undefined;
}

function podOf(rendered: Rendered, workload: string): unknown {
  const deployment = objectOf(rendered, 'east', 'Deployment', workload);
  return (deployment as unknown as { spec: { template: unknown } }).spec.template;
}

describe('a workload with an HTTP gateway', () => {
  let rendered: Rendered;
  beforeAll(() => {
    rendered = withProject({}, (root) => synthesize(shop(root, comments)));
  });

  test.each([
    ['catalog', ['test.catalog.v1.CatalogService'], ['test/catalog/v1/catalog.proto']],
    [
      'goods',
      ['test.catalog.v1.CatalogService', 'test.inventory.v1.InventoryService'],
      ['test/catalog/v1/catalog.proto', 'test/inventory/v1/inventory.proto'],
    ],
    [
      'sales',
      ['test.orders.v1.OrdersService'],
      ['test/catalog/v1/catalog.proto', 'test/orders/v1/orders.proto'],
    ],
  ])(
    '%s: its set has its services, in the files that they need, and a list of both',
    (workload, services, files) => {
      const map = mapOf(rendered, workload)!;
      const bytes = Buffer.from(map.binaryData['descriptors.binpb']!, 'base64');
      const { file } = fromBinary(FileDescriptorSetSchema, bytes);
      expect(file.map(({ name }) => name)).toEqual(files);
      const has = file.flatMap((each) => each.service.map(({ name }) => `${each.package}.${name}`));
      expect(has.sort()).toEqual(services);
      const list = map.data['services.txt']!;
      expect([...list.matchAll(/^ {2}(\S+)$/gm)].map(([, name]) => name)).toEqual(services);
      expect([...list.matchAll(/^ {2}(\S+) [0-9a-f]{12} \d+$/gm)].map(([, name]) => name)).toEqual(files);
    },
  );

  test('its name has a hash of all that it holds, keys and values', () => {
    for (const workload of workloads) {
      const { metadata, data, binaryData } = mapOf(rendered, workload)!;
      expect([Object.keys(data), Object.keys(binaryData)]).toEqual([['services.txt'], ['descriptors.binpb']]);
      const hash = createHash('sha256').update(JSON.stringify({ data, binaryData })).digest('hex');
      expect(metadata.name).toBe(`${workload}-descriptors-${hash.slice(0, 10)}`);
    }
  });

  test('its pods mount it, read-only, where the gateway reads it', () => {
    for (const workload of workloads) {
      const map = mapOf(rendered, workload)!;
      expect(map).toMatchObject({ immutable: true, metadata: { namespace: 'shop' } });
      expect(podOf(rendered, workload)).toMatchObject({
        spec: {
          containers: expect.arrayContaining([
            expect.objectContaining({
              env: expect.arrayContaining([
                { name: 'DESCRIPTORS', value: '/etc/meshwright/descriptors.binpb' },
              ]),
              volumeMounts: [{ name: 'descriptors', mountPath: '/etc/meshwright', readOnly: true }],
            }),
          ]),
          volumes: [{ name: 'descriptors', configMap: { name: map.metadata.name } }],
        },
      });
    }
  });

  test('it is where the pods are, and one without a gateway has none', () => {
    expect(workloads.map((workload) => mapOf(rendered, workload, 'west')?.metadata.name)).toEqual([
      undefined,
      mapOf(rendered, 'goods')!.metadata.name,
      undefined,
    ]);
    expect(mapOf(rendered, 'inventory')).toBeUndefined();
    expect(podOf(rendered, 'inventory')).not.toHaveProperty('spec.volumes');
  });

  /** Whose pods are replaced when the second takes the place of the first. */
  const rolled = (before: Rendered, after: Rendered) =>
    [...workloads, 'inventory', 'orders'].filter(
      (workload) => JSON.stringify(podOf(before, workload)) !== JSON.stringify(podOf(after, workload)),
    );

  test('a change of what a service needs rolls the gateways that serve it, and no others', () => {
    const service = [6, 0];
    const message = [4, 0];
    const changed = (file: string, path: readonly number[]) => {
      const said = [...(comments[file] ?? []), { path, text: 'Other.' }];
      return rolled(
        rendered,
        withProject({}, (root) => synthesize(shop(root, { ...comments, [file]: said }))),
      );
    };
    expect(changed('test/orders/v1/orders.proto', service)).toEqual(['sales']);
    expect(changed('test/inventory/v1/inventory.proto', service)).toEqual(['goods']);
    // The file of orders imports the messages of the catalog, and knows nothing of its service.
    expect(changed('test/catalog/v1/catalog.proto', service)).toEqual(['catalog', 'goods']);
    expect(changed('test/catalog/v1/catalog.proto', message)).toEqual(workloads);
    expect(changed('shop/other/v1/other.proto', service)).toEqual([]);
  });

  test('a new service rolls nothing but the gateway that serves it', () => {
    const more = withProject({ library: { services: ['test.Library'], ports: { grpc: 50_051 } } }, (root) => {
      const mesh = shop(root, comments);
      const { service } = library({ Get: { pattern: { case: 'get', value: '/v1/books/{name}' } } });
      const books = new GrpcService(mesh.namespace('books'), 'books', { app: 'apps/library', service });
      new HttpEdge(books.namespace, 'reading', { expose: [books], hosts: ['books.example'] });
      return synthesize(mesh);
    });
    expect(mapOf(more, 'reading')!.data['services.txt']).toContain('test.Library');
    expect(rolled(rendered, more)).toEqual([]);
  });
});

describe('a set that does not fit into a ConfigMap', () => {
  const kib = 1024;

  /** A service whose file imports another; each declares a message with a name as long as is said. */
  function heavy(pkg: string, ownBytes: number, importedBytes: number): DescService {
    const message = (bytes: number) => ({ name: 'M'.repeat(Math.max(bytes, 1)) });
    const imported = fromJson(FileDescriptorProtoSchema, {
      ...{ name: `${pkg}/imported.proto`, package: pkg, syntax: 'proto3' },
      messageType: [message(importedBytes)],
    });
    const own = fromJson(FileDescriptorProtoSchema, {
      ...{ name: `${pkg}/own.proto`, package: pkg, syntax: 'proto3', dependency: [imported.name] },
      messageType: [{ name: 'Request' }, { name: `N${message(ownBytes).name}` }],
      service: [
        {
          name: 'Heavy',
          method: [{ name: 'Call', inputType: `.${pkg}.Request`, outputType: `.${pkg}.Request` }],
        },
      ],
    });
    const options = create(MethodOptionsSchema);
    setExtension(options, http, create(HttpRuleSchema, { pattern: { case: 'get', value: `/v1/${pkg}` } }));
    own.service[0]!.method[0]!.options = options;
    return createFileRegistry(own, () => imported).getService(`${pkg}.Heavy`)!;
  }

  const problems = (services: readonly DescService[], said: ProtoComments = {}) =>
    new GatewayDescriptors(services, said).problems('demo/shop/edge: expose', 'expose fewer');

  test('is refused with what takes the bytes, and what helps', () => {
    const services = [heavy('one', 300 * kib, 300 * kib), heavy('two', 200 * kib, 10)];
    const said = { 'one/own.proto': [{ path: [6, 0], text: 'x'.repeat(200 * kib) }] };
    const [problem, ...more] = problems(services, said);
    expect(more).toEqual([]);
    expect(problem).toEqual({
      where: 'demo/shop/edge: expose',
      what:
        "the descriptors of the HTTP gateway's services do not fit into a ConfigMap: " +
        '512146 of the bytes are one/own.proto, 204816 are comments',
      received: 1_024_693,
      allowed: 'at most 921600',
      fix:
        'expose fewer, or split proto files, so that the file of a service imports only what it needs, ' +
        'or leave comments of large files out of the comments of the mesh',
    });
    // Each of them, by itself.
    expect(problems(services.slice(0, 1), said)).toEqual([]);
    expect(problems([heavy('one', 300 * kib, 10), services[1]!], said)).toEqual([]);
    expect(problems(services)).toEqual([]);
  });

  test('the limit counts the list too, and is inclusive', () => {
    const size = (bytes: number) => problems([heavy('one', bytes, 1)])[0]?.received;
    const received = size(900 * kib);
    expect(received).toEqual(expect.any(Number));
    const most = 900 * kib - (Number(received) - 900 * kib);
    expect([size(most), size(most + 1)]).toEqual([undefined, 921_601]);
  });

  test('what counts is bytes, not letters', () => {
    const size = (pkg: string) => problems([heavy(pkg, 900 * kib, 1)])[0]?.received;
    expect(size('één')).toEqual(expect.any(Number));
    expect(size('één')).toBe(size('eeeen'));
  });

  test('is refused at synth, for an edge and for a service with a gateway', () => {
    const app = {
      services: ['one.Heavy', 'two.Heavy'],
      ports: { grpc: 50_051, http: 8_081 },
      httpGateway: true,
    };
    withProject({ library: app }, (root) => {
      const mesh = new Mesh('demo', { root, trustDomain: 'demo.example', clusters, platform: lab });
      const namespace = mesh.namespace('shop');
      const services = ['one', 'two'].map(
        (pkg) => new GrpcService(namespace, pkg, { app: 'apps/library', service: heavy(pkg, 500 * kib, 1) }),
      );
      new HttpEdge(namespace, 'edge', { expose: services });
      const text =
        "the descriptors of the HTTP gateway's services do not fit into a ConfigMap: " +
        '512130 of the bytes are one/own.proto, 0 are comments; received 1024659; allowed at most 921600; fix: ';
      const rest = ', or split proto files, so that the file of a service imports only what it needs';
      const told = problemsOf(mesh).filter((line) => line.includes('ConfigMap'));
      expect(told).toEqual([
        `demo/shop/one: httpGateway: ${text}serve some of its services by an app of their own${rest}`,
        `demo/shop/two: httpGateway: ${text}serve some of its services by an app of their own${rest}`,
        `demo/shop/edge: expose: ${text}expose some of the services at another HttpEdge${rest}`,
      ]);
    });
  });
});

test('comments that are none are refused', () => {
  withProject({}, (root) => {
    const wrong: readonly unknown[] = [
      'text',
      [],
      { a: 'text' },
      { a: [{ path: 'x', text: 'y' }] },
      { a: [{ path: [1] }] },
    ];
    for (const said of wrong) {
      const [line, ...more] = problemsOf(shop(root, said as ProtoComments));
      expect(more).toEqual([]);
      expect(line).toBe(
        `demo: comments: are not the comments of protos; received ${JSON.stringify(said)}; ` +
          'allowed comments of gen/comments.js: for each proto file a list of { path, text }',
      );
    }
  });
});
