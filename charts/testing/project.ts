import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { writeTestLock } from './lock.ts';

/** What differs from a plain app in a config.yml; the rest is filled in. */
export type AppFixture = Readonly<Record<string, unknown>>;

const plain = {
  image: { version: '1.2.3', title: 'an app', description: 'An app of the tests' },
  resources: { requests: { cpu: '50m', memory: '64Mi' }, limits: { memory: '128Mi' } },
  replicas: 1,
};

/** A project small enough to read: `catalog` carries the HTTP gateway and runs twice, the others are plain. */
const sample: Readonly<Record<string, AppFixture>> = {
  catalog: {
    services: ['test.catalog.v1.CatalogService'],
    ports: { grpc: 50051, http: 8081 },
    replicas: 2,
    httpGateway: true,
  },
  gateway: { ports: { http: 8080 } },
  inventory: { services: ['test.inventory.v1.InventoryService'], ports: { grpc: 50051 } },
  orders: {
    services: ['test.orders.v1.OrdersService'],
    ports: { grpc: 50052 },
    env: { CURRENCY: 'EUR' },
  },
};

/**
 * Runs the test with the root of a project in a temporary folder: the sample apps, changed and added to by `apps`;
 * an app that is `undefined` is left out.
 */
export function withProject<T>(
  apps: Readonly<Record<string, AppFixture | undefined>>,
  test: (root: string) => T,
): T {
  const root = makeProject(apps);
  try {
    return test(root);
  } finally {
    rmSync(root, { recursive: true });
  }
}

/** The root of such a project that stays until the process ends, for tests that need it longer than a call. */
export function keptProject(apps: Readonly<Record<string, AppFixture | undefined>> = {}): string {
  const root = makeProject(apps);
  process.once('exit', () => {
    rmSync(root, { recursive: true, force: true });
  });
  return root;
}

function makeProject(apps: Readonly<Record<string, AppFixture | undefined>>): string {
  const root = mkdtempSync(join(tmpdir(), 'meshwright-charts-'));
  for (const [name, fixture] of Object.entries({ ...sample, ...apps })) {
    if (fixture === undefined) continue;
    mkdirSync(join(root, 'apps', name), { recursive: true });
    const config = { name, ...plain, ...sample[name], ...fixture };
    writeFileSync(join(root, 'apps', name, 'config.yml'), stringify(config));
  }
  writeTestLock(root);
  return root;
}
