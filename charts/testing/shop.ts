import { InventoryService } from '../../gen/test/inventory/v1/inventory_pb.js';
import { OrdersService } from '../../gen/test/orders/v1/orders_pb.js';
import { GrpcService, HttpEdge, lab, Mesh, TrafficPolicy, type MeshProps } from '../index.ts';
import { catalogIn, twoClusters } from './mesh.ts';

/**
 * The shop of the tests, in two clusters: what the checkout's own mesh.ts declares at first. That one belongs to whoever
 * works here: services come and go in it, and so it may itself.
 * @param root - a project with the apps catalog, inventory, orders and gateway
 * @param values - those of an environment. @default - the lab's
 */
export function shopInTwo(
  root: string,
  values: Pick<Partial<MeshProps<'east' | 'west'>>, 'platform' | 'gateways'> = {},
): Mesh<'east' | 'west'> {
  const mesh = new Mesh('shop', {
    root,
    trustDomain: 'shop.example',
    platform: lab,
    clusters: {
      east: { network: 'net-east', region: 'us-east1', zone: 'us-east1-b' },
      west: { network: 'net-west', region: 'us-west1', zone: 'us-west1-a' },
    },
    ...values,
  });
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
  orders.calls(catalog.method.getProduct, inventory.method.reserve, catalog.method.watchPrices);
  new TrafficPolicy(catalog, 'traffic', {
    rules: [{ method: catalog.method.getProduct, retries: { attempts: 2 } }],
  });
  new HttpEdge(namespace, 'edge', {
    expose: [catalog, inventory, orders],
    openapi: true,
    rateLimits: [{ method: orders.method.createOrder, perSecond: 20, by: 'client' }],
  });
  return mesh;
}

/** The catalog, with its HTTP gateway, in another namespace than orders and the inventory. */
export function callingShop(root: string) {
  const mesh = twoClusters(root);
  const shop = mesh.namespace('shop');
  const catalog = catalogIn(mesh.namespace('goods'));
  const inventory = new GrpcService(shop, 'inventory', { app: 'apps/inventory', service: InventoryService });
  const orders = new GrpcService(shop, 'orders', { app: 'apps/orders', service: OrdersService });
  return { mesh, shop, catalog, inventory, orders };
}
