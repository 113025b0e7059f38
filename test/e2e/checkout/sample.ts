import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseDeclaration, type Declaration } from '../../../charts/declare.ts';
import type { Mesh } from '../../../charts/index.ts';
import type { CatalogService as Catalog } from '../../../gen/test/catalog/v1/catalog_pb.js';
import type { InventoryService as Inventory } from '../../../gen/test/inventory/v1/inventory_pb.js';
import type { OrdersService as Orders } from '../../../gen/test/orders/v1/orders_pb.js';
import { root } from './cli.ts';

// The suites run the sample in the lab, and load it by its paths: their sources type-check where it was deleted
// (CONTRIBUTING.md). The types are those of the tests' services: test/sample/suites.test.ts says that the sample has all their methods.

/** The lab's clusters, as mesh.ts declares them for it. */
export type Cluster = 'east' | 'west';

async function load(path: string): Promise<Readonly<Record<string, unknown>>> {
  return (await import(pathToFileURL(join(root, path)).href)) as Readonly<Record<string, unknown>>;
}

async function service(name: string, exported: string): Promise<unknown> {
  return (await load(`gen/shop/${name}/v1/${name}_pb.js`))[exported];
}

export const CatalogService = (await service('catalog', 'CatalogService')) as typeof Catalog;
export const InventoryService = (await service('inventory', 'InventoryService')) as typeof Inventory;
export const OrdersService = (await service('orders', 'OrdersService')) as typeof Orders;

/** What mesh.ts declares. */
export const shop = parseDeclaration((await load('mesh.ts'))['default']) as Declaration<
  string,
  Mesh<Cluster>
>;
