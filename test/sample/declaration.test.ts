import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { parseAllDocuments } from 'yaml';
import { loadAppConfigs } from '../../apps/config/app-config.ts';
import { packRules } from '../../charts/gates/rules/rules.ts';
import { violationsOf } from '../../charts/gates/rules/rule.ts';
import type { KubernetesObject } from '../../charts/model/mesh-model.ts';
import { CatalogService } from '../../gen/shop/catalog/v1/catalog_pb.js';
import { InventoryService } from '../../gen/shop/inventory/v1/inventory_pb.js';
import { OrdersService } from '../../gen/shop/orders/v1/orders_pb.js';
import { declareService } from '../../scaffold/edits.ts';
import { namesOf, type ServiceNames } from '../../scaffold/names.ts';

const root = join(import.meta.dirname, '..', '..');
const read = (file: string) => readFileSync(join(root, file), 'utf8');

test('the apps are right', () => {
  const configs = loadAppConfigs(root);
  const names = configs.map(({ name }) => name);
  expect(names).toEqual(expect.arrayContaining(['catalog', 'gateway', 'inventory', 'orders']));
  const served = new Set(configs.flatMap((config) => config.services));
  const services = [CatalogService, InventoryService, OrdersService].map(({ typeName }) => typeName);
  expect([...served]).toEqual(expect.arrayContaining(services));
});

test('the policy pack has nothing against it: every object of dist passes', () => {
  const dist = join(root, 'dist');
  const files = readdirSync(dist, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.yaml'),
  );
  const objects = files.flatMap((file) =>
    parseAllDocuments(readFileSync(join(dist, file), 'utf8')).map(
      (document) => document.toJS() as KubernetesObject,
    ),
  );
  expect(objects.length).toBeGreaterThan(50);
  const said = objects.flatMap((object) =>
    packRules.flatMap((rule) =>
      violationsOf(rule, object).map(({ what, fix }) => [object.metadata.name, rule.name, what, fix]),
    ),
  );
  expect(said).toEqual([]);
});

test('mesh.ts has a place for each part of another service', () => {
  const edited = declareService(read('mesh.ts'), namesOf('test-parcels', 'shop') as ServiceNames);
  expect(edited).toContain("const testParcels = new GrpcService(namespace, 'test-parcels',");
  expect(edited).toMatch(/expose: \[[^\]]*testParcels/);
});

/** Lines without their indentation, and no empty ones. */
const lines = (text: string) =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean);

test('the README shows code that is in the file it names', () => {
  const blocks = [...read('README.md').matchAll(/<!-- (\S+) -->\s+```ts\n([\s\S]*?)```/g)];
  expect(blocks.length).toBeGreaterThan(0);
  for (const [, file, code] of blocks) {
    expect(lines(read(file!)).join('\n')).toContain(lines(code!).join('\n'));
  }
});
