import { CatalogService } from '../../gen/test/catalog/v1/catalog_pb.js';
import { InventoryService } from '../../gen/test/inventory/v1/inventory_pb.js';
import { OrdersService } from '../../gen/test/orders/v1/orders_pb.js';
import { GrpcService } from '../constructs/workload/grpc-service.ts';
import { Mesh } from '../constructs/mesh.ts';
import { TrafficPolicy } from '../constructs/traffic/traffic-policy.ts';
import { lab } from '../platforms.ts';
import { problemsOf } from './mesh.ts';
import { withProject } from './project.ts';

/** Six clusters: b and c share a region, and e and f also a zone. */
export const clusters = Object.fromEntries(
  [
    ['a', 'r1', 'z1'],
    ['b', 'r2', 'z2'],
    ['c', 'r2', 'z3'],
    ['d', 'r3', 'z4'],
    ['e', 'r4', 'z5'],
    ['f', 'r4', 'z5'],
  ].map(([name, region, zone]) => [name, { network: `net-${name}`, region, zone }]),
) as Record<string, { network: string; region: string; zone: string }>;

/** What a policy may speak of. */
export interface Declared {
  readonly inventory: GrpcService<typeof InventoryService, string, 'v1' | 'v2' | 'idle'>;
  readonly orders: GrpcService<typeof OrdersService, string>;
  readonly catalog: GrpcService<typeof CatalogService, string>;
}

/** What synth says of a policy of the inventory, which does not run in f; without where it is. */
export function said(props: (declared: Declared) => object): readonly string[] {
  return withProject({}, (root) => {
    const mesh = new Mesh('demo', { root, trustDomain: 'demo.example', clusters, platform: lab });
    const shop = mesh.namespace('shop');
    const declared = {
      inventory: new GrpcService(shop, 'inventory', {
        app: 'apps/inventory',
        service: InventoryService,
        placement: ['a', 'b', 'c', 'd', 'e'],
        versions: { v1: {}, v2: {}, idle: { replicas: 0 } },
      }),
      orders: new GrpcService(shop, 'orders', { app: 'apps/orders', service: OrdersService }),
      catalog: new GrpcService(shop, 'catalog', { app: 'apps/catalog', service: CatalogService }),
    };
    new TrafficPolicy(declared.inventory, 'traffic', props(declared));
    const where = 'demo/shop/inventory/traffic: ';
    return problemsOf(mesh).map((line) => (line.startsWith(where) ? line.slice(where.length) : line));
  });
}

/** All to one of the versions. */
export const weights = { v1: 100, v2: 0, idle: 0 };
/** A match of metadata. */
export const tester = { tester: { exact: '1' } };
