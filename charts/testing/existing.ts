import { InventoryService } from '../../gen/shop/inventory/v1/inventory_pb.js';
import { OrdersService } from '../../gen/shop/orders/v1/orders_pb.js';
import { GrpcService } from '../constructs/workload/grpc-service.ts';
import { Mesh, type MeshProps } from '../constructs/mesh.ts';
import { existing, type ExistingOptions } from '../platforms.ts';
import { catalogIn, clusters } from './mesh.ts';

type Clusters = 'east' | 'west';

/** Ingress gateways of others. */
export const theirGateways = {
  namespace: 'edge-system',
  serviceAccount: 'front-door',
  selector: { app: 'front-door' },
  service: 'front-door',
} as const;

/** An Istio of others, unlike the mesh's own in what it can be. */
export const theirs: ExistingOptions = {
  imageHub: 'registry.example/shop',
  istio: { revision: 'prod-stable' },
};

/** A mesh on an Istio of others that holds nothing yet. */
export function onExisting(
  root: string,
  options: Partial<ExistingOptions> = {},
  props: Partial<MeshProps<Clusters>> = {},
): Mesh<Clusters> {
  const platform = existing({ ...theirs, ...options });
  const ingress = { type: 'LoadBalancer', sources: ['10.0.0.0/8'] } as const;
  const gateways = options.ingress === undefined ? { gateways: { ingress } } : {};
  return new Mesh('demo', { root, trustDomain: 'cluster.local', clusters, platform, ...gateways, ...props });
}

/** The sample project's services in such a mesh: catalog in a namespace of its own, orders and inventory in a shared one. */
export function shopOnExisting(mesh: Mesh<Clusters>) {
  const shop = mesh.namespace('shop');
  const team = mesh.namespace('team-a', { shared: true });
  const catalog = catalogIn(shop);
  const inventory = new GrpcService(team, 'inventory', { app: 'apps/inventory', service: InventoryService });
  const orders = new GrpcService(team, 'orders', {
    app: 'apps/orders',
    service: OrdersService,
    placement: ['east'],
  });
  orders.calls(catalog.method.getProduct, inventory.method.reserve);
  return { shop, team, catalog, inventory, orders };
}
