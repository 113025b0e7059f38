import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { samplePaths } from '../../core/testing/sample.ts';

const app = (name: string, pascal: string, handlers: string) => ({
  [`apps/${name}/config.yml`]: `name: ${name}
services:
  - test.${name}.v1.${pascal}Service
ports:
  grpc: 50051
image:
  version: 0.1.0
  title: the ${name}
  description: The ${name} of a mesh of one's own
resources:
  requests: { cpu: 50m, memory: 96Mi }
  limits: { memory: 256Mi }
replicas: 1
`,
  [`apps/${name}/main.ts`]: `import { ${pascal}Service } from '../../gen/test/${name}/v1/${name}_pb.js';
import { implement } from '../runtime/handlers.ts';
import { runService } from '../runtime/run.ts';

await runService('${name}', {}, () => [implement(${pascal}Service, { ${handlers} })]);
`,
});

const files: Readonly<Record<string, string>> = {
  ...app('catalog', 'Catalog', 'getProduct: () => ({}), listProducts: () => ({}), watchPrices: () => []'),
  ...app(
    'orders',
    'Orders',
    'createOrder: () => ({}), getOrder: () => ({}), listOrders: () => ({}), watchQuote: () => []',
  ),
  'mesh.ts': `import { comments } from './gen/comments.js';
import { CatalogService } from './gen/test/catalog/v1/catalog_pb.js';
import { OrdersService } from './gen/test/orders/v1/orders_pb.js';
import { declare, GrpcService, HttpEdge, lab, Mesh, released } from './charts/index.ts';

export default declare({
  environments: {
    lab: { platform: lab },
    prod: { platform: released({ imageHub: 'registry.example/own', istioTag: '1.29.2' }) },
  },

  mesh: ({ root, values }) => {
    const clusters = {
      north: { network: 'net-north', region: 'region-n', zone: 'zone-n' },
      south: { network: 'net-south', region: 'region-s', zone: 'zone-s' },
    };
    const ingress = { type: 'LoadBalancer', sources: ['192.0.2.0/24'] } as const;
    const gateways = { eastWest: ingress, ingress };
    const mesh = new Mesh('own', { root, trustDomain: 'own.example', comments, clusters, gateways, ...values });
    const namespace = mesh.namespace('own');

    const catalog = new GrpcService(namespace, 'catalog', { app: 'apps/catalog', service: CatalogService });
    const orders = new GrpcService(namespace, 'orders', { app: 'apps/orders', service: OrdersService });
    orders.calls(catalog.method.getProduct);

    new HttpEdge(namespace, 'edge', { expose: [catalog, orders] });
    return mesh;
  },
});
`,
};

/** Deletes the sample from a copy of this checkout, as CONTRIBUTING.md says. */
export function deleteSample(copy: string): void {
  for (const path of samplePaths()) rmSync(join(copy, path), { recursive: true, force: true });
}

/** Puts another mesh in the place of the sample: of two services, by the protos of the tests, with two environments. */
export function writeOwnMesh(copy: string): void {
  deleteSample(copy);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(copy, dirname(path)), { recursive: true });
    writeFileSync(join(copy, path), text);
  }
  const manifest = JSON.parse(readFileSync(join(copy, 'package.json'), 'utf8')) as object;
  writeFileSync(
    join(copy, 'package.json'),
    `${JSON.stringify({ ...manifest, meshwright: { protoPackage: 'test' } }, undefined, 2)}\n`,
  );
}

/** Gives a service of a mesh.ts a second version, which gets one call in ten. */
export function addCanary(mesh: string, service: string): string {
  const declared = new RegExp(`( *)const ${service} = new GrpcService\\([^;]*?app: '[^']*',[^;]*?\\}\\);\n`);
  const [statement, indent = ''] = declared.exec(mesh) ?? [];
  if (statement === undefined) throw new Error(`mesh.ts: declares no service ${service}`);
  const versions = statement.replace(/(app: '[^']*',)/, '$1 versions: { v1: {}, v2: {} },');
  const policy = `${indent}new TrafficPolicy(${service}, '${service}-canary', { weights: { v1: 90, v2: 10 } });\n`;
  const imported = /\bTrafficPolicy\b.*from/.test(mesh)
    ? mesh
    : mesh.replace(
        /(import \{[^}]*Mesh,? ?[^}]*) \} from '\.\/charts\/index\.ts'/,
        "$1, TrafficPolicy } from './charts/index.ts'",
      );
  return imported.replace(statement, `${versions}${policy}`);
}
