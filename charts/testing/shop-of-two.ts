import { InventoryService } from '../../gen/test/inventory/v1/inventory_pb.js';
import { OrdersService } from '../../gen/test/orders/v1/orders_pb.js';
import { GrpcService } from '../constructs/workload/grpc-service.ts';
import { catalogIn, twoClusters } from './mesh.ts';

/** The catalog, with its HTTP gateway, in another namespace than orders and the inventory. */
export function callingShop(root: string) {
  const mesh = twoClusters(root);
  const shop = mesh.namespace('shop');
  const catalog = catalogIn(mesh.namespace('goods'));
  const inventory = new GrpcService(shop, 'inventory', { app: 'apps/inventory', service: InventoryService });
  const orders = new GrpcService(shop, 'orders', { app: 'apps/orders', service: OrdersService });
  return { mesh, shop, catalog, inventory, orders };
}
