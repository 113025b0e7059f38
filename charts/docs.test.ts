import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import ts from 'typescript';
import { formatProblem, ProblemsError } from '../core/problem.ts';
import { CatalogService } from '../gen/test/catalog/v1/catalog_pb.js';
import { InventoryService } from '../gen/test/inventory/v1/inventory_pb.js';
import { OrdersService } from '../gen/test/orders/v1/orders_pb.js';
import { readExamples, typeCheck, type Example } from './testing/examples.ts';
import { catalogIn, clusters, problemsOf, twoClusters } from './testing/mesh.ts';
import { withProject } from './testing/project.ts';
import * as library from './index.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const { GrpcService, MeshConstruct } = library;
const examples = [
  'docs/constructs.md',
  'docs/adopting.md',
  'docs/upgrades.md',
  'docs/existing-clusters.md',
  'docs/existing-istio.md',
].flatMap((file) => readExamples(join(root, file)));

/** What the examples lean on: the services of the tests in a fresh mesh, and the library by its names. */
function given(project: string) {
  const mesh = twoClusters(project);
  const namespace = mesh.namespace('shop');
  const catalog = catalogIn(namespace);
  const inventory = new GrpcService(namespace, 'inventory', {
    app: 'apps/inventory',
    service: InventoryService,
    placement: ['west'],
  });
  const orders = new GrpcService(namespace, 'orders', {
    app: 'apps/orders',
    service: OrdersService,
    placement: ['east'],
  });
  const platform = library.released({ imageHub: 'registry.example/shop', istioTag: '1.29.2' });
  const shop = { root: project, trustDomain: 'shop.example', platform };
  const sample = { root: project, mesh, namespace, catalog, inventory, orders, shop, ...clusters };
  return { ...library, ...sample, CatalogService, InventoryService, OrdersService };
}

/** The same for the compiler, which reads it as the beginning of each example's function. */
const declarations = `
import { CatalogService } from '../gen/test/catalog/v1/catalog_pb.js';
import { InventoryService } from '../gen/test/inventory/v1/inventory_pb.js';
import { OrdersService } from '../gen/test/orders/v1/orders_pb.js';
declare const root: string;
declare const mesh: Mesh<'east' | 'west'>;
declare const namespace: Namespace<'east' | 'west'>;
declare const catalog: GrpcService<typeof CatalogService, 'east' | 'west'>;
declare const inventory: GrpcService<typeof InventoryService, 'east' | 'west'>;
declare const orders: GrpcService<typeof OrdersService, 'east' | 'west'>;
declare const shop: Omit<MeshProps<'east' | 'west'>, 'clusters'>;
declare const east: ClusterProps;
declare const west: ClusterProps;
`;

/** A message as it is for the services of the tests: the documents name those of a shop. */
const ofTests = (message: string) => message.replaceAll(/\bshop\.(?=\w+\.v1\.)/g, 'test.');

/** Runs an example without its types, as plain JavaScript would; returns what synth then says, a line each. */
async function run({ code }: Example): Promise<readonly string[]> {
  const names = Object.keys(withProject({}, given));
  const module = `export default function ({ ${names.join(', ')} }) {{\n${code}\n}}`;
  const { outputText } = ts.transpileModule(module, {
    compilerOptions: { target: ts.ScriptTarget.ESNext, module: ts.ModuleKind.ESNext },
  });
  const url = `data:text/javascript;charset=utf-8,${encodeURIComponent(outputText)}`;
  const { default: example } = (await import(url)) as { default: (sample: object) => void };
  return withProject({}, (project) => {
    const sample = given(project);
    try {
      example(sample);
    } catch (error) {
      // An example may declare a mesh of its own, and synthesize it.
      if (error instanceof ProblemsError) return error.problems.map(formatProblem);
      throw error;
    }
    return problemsOf(sample.mesh);
  });
}

describe('the examples of docs/constructs.md and docs/upgrades.md', () => {
  const typeErrors = typeCheck(root, declarations, examples);

  test.each(examples)('$title compiles, or does not where it says so', (example) => {
    const errors = typeErrors.get(example) ?? [];
    if (example.expected === 'does not compile') expect(errors).not.toEqual([]);
    else expect(errors).toEqual([]);
  });

  test.each(examples)('$title synthesizes, or is refused with the message it gives', async (example) => {
    expect((await run(example)).join(' ')).toBe(ofTests(example.message));
    expect(example.message === '').toBe(example.expected === 'synthesizes');
  });
});

/** The classes of the library that declare something, and are no base of others. */
async function declarableConstructs(): Promise<readonly (typeof MeshConstruct)[]> {
  const folder = join(root, 'charts/constructs');
  const sources = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(
    (file) => file.endsWith('.ts') && !/\.test(-d)?\.ts$/.test(file),
  );
  const modules = await Promise.all(
    sources.map(async (file) => (await import(join(folder, file))) as Record<string, unknown>),
  );
  const classes = new Set(modules.flatMap((module) => Object.values(module)).filter(isConstruct));
  return [...classes].filter((one) => ![...classes].some((other) => other.prototype instanceof one));
}

function isConstruct(value: unknown): value is typeof MeshConstruct {
  return typeof value === 'function' && value.prototype instanceof MeshConstruct;
}

test('every construct that a mesh does not make by itself is exported by charts/index.ts', async () => {
  const istio = {};
  const ingress = { namespace: 'edge', serviceAccount: 'edge', selector: { istio: 'edge' }, service: 'edge' };
  const existing = library.existing({ imageHub: 'registry.example/shop', istio, ingress });
  const meshes = [twoClusters(root), twoClusters(root, existing)];
  const made = meshes.flatMap((mesh) => mesh.node.findAll().map((part) => part.constructor));
  const own = (await declarableConstructs()).filter((one) => !made.includes(one));
  expect(own.length).toBeGreaterThan(0);
  const exported = Object.values<unknown>(library);
  const missing = own.filter((one) => !exported.includes(one) && makerOf(one) === undefined);
  expect(missing.map(({ name }) => name)).toEqual([]);
});

/** The function that a construct is declared by, in the place of its class: `existingService` of `ExistingService`. */
function makerOf({ name }: typeof MeshConstruct): string | undefined {
  const maker = `${name.slice(0, 1).toLowerCase()}${name.slice(1)}`;
  return Object.keys(library).find((exported) => exported === maker);
}

test('every exported construct has a section of its own, with an example', async () => {
  const constructs = Object.values<unknown>(library).filter(
    (one) => one === library.Mesh || isConstruct(one),
  );
  const classes = [...constructs, MeshConstruct].map((one) => (one as { readonly name: string }).name);
  const sections = [...classes, ...(await declarableConstructs()).flatMap((one) => makerOf(one) ?? [])];
  expect(examples.map(({ section }) => section)).toEqual(expect.arrayContaining(sections));
});
