import { InventoryService } from '../../gen/test/inventory/v1/inventory_pb.js';
import { OrdersService } from '../../gen/test/orders/v1/orders_pb.js';
import { GrpcService, HttpEdge, lab, Mesh } from '../index.ts';
import { catalogIn } from './mesh.ts';

/** The shop in three clusters: the catalog and the edge everywhere, orders in the north, stock in east and south. */
export function shopInThree(root: string): Mesh<'north' | 'east' | 'south'> {
  const place = (name: string) => ({
    network: `net-${name}`,
    region: `region-${name}`,
    zone: `zone-${name}`,
  });
  const mesh = new Mesh('shop', {
    root,
    trustDomain: 'shop.example',
    platform: lab,
    clusters: { north: place('north'), east: place('east'), south: place('south') },
  });
  const shop = mesh.namespace('shop');
  const catalog = catalogIn(shop);
  const inventory = new GrpcService(shop, 'inventory', {
    app: 'apps/inventory',
    service: InventoryService,
    placement: ['east', 'south'],
  });
  const orders = new GrpcService(shop, 'orders', {
    app: 'apps/orders',
    service: OrdersService,
    placement: ['north'],
  });
  orders.calls(catalog.method.getProduct, inventory.method.reserve);
  new HttpEdge(shop, 'edge', { expose: [catalog, inventory, orders] });
  return mesh;
}
