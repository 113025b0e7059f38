import { GrpcService, lab, Mesh } from '../../../charts/index.ts';
import type { ClusterProps, MeshProps, Namespace, WorkloadTracing } from '../../../charts/index.ts';
import { root } from './cli.ts';
import { CatalogService, InventoryService, OrdersService, type Cluster } from './sample.ts';

export type { Cluster };

const clusters = {
  east: { network: 'net-east', region: 'us-east1', zone: 'us-east1-b' },
  west: { network: 'net-west', region: 'us-west1', zone: 'us-west1-a' },
} as const;

export interface LabMeshOptions extends Pick<Partial<MeshProps<Cluster>>, 'root' | 'tracing'> {
  /** What is declared of a cluster beside where it is. @default - nothing */
  readonly more?: (cluster: Cluster) => Pick<ClusterProps, 'gateways' | 'istio'>;
}

/** The mesh of mesh.ts with nothing in it, for a suite to declare its own. */
export function labMesh({ more = () => ({}), ...options }: LabMeshOptions = {}): Mesh<Cluster> {
  return new Mesh('shop', {
    root,
    trustDomain: 'shop.example',
    clusters: {
      east: { ...clusters.east, ...more('east') },
      west: { ...clusters.west, ...more('west') },
    },
    platform: lab,
    ...options,
  });
}

/** The apps of the sample, for a GrpcService. */
export const apps = {
  catalog: { app: 'apps/catalog', service: CatalogService },
  inventory: { app: 'apps/inventory', service: InventoryService },
  orders: { app: 'apps/orders', service: OrdersService },
} as const;

/**
 * The services of the sample, which do not call each other yet: stock in the west and orders in the east, as mesh.ts places
 * them.
 */
export function shopServices(
  namespace: Namespace<Cluster>,
  catalog: { readonly placement?: readonly Cluster[]; readonly tracing?: WorkloadTracing } = {},
) {
  return {
    catalog: new GrpcService(namespace, 'catalog', { ...apps.catalog, ...catalog }),
    inventory: new GrpcService(namespace, 'inventory', { ...apps.inventory, placement: ['west'] }),
    orders: new GrpcService(namespace, 'orders', { ...apps.orders, placement: ['east'] }),
  };
}
