import { CatalogService } from './gen/shop/catalog/v1/catalog_pb.js';
import { InventoryService } from './gen/shop/inventory/v1/inventory_pb.js';
import { OrdersService } from './gen/shop/orders/v1/orders_pb.js';
import { GrpcService, HttpEdge, lab, Mesh, TrafficPolicy } from './charts/index.ts';

/**
 * The sample shop: the catalog in both clusters, orders taken in the east, stock kept in the west, one HTTP edge.
 *
 * It is declared for the local lab. For other clusters change the line `platform: lab` to
 * `platform: released({ imageHub: 'registry.example/shop', istioTag: '1.29.2' })`, with the registry the images were
 * pushed to, and the clusters' regions and zones to what the labels of their nodes say.
 * @param root - project root, which the app folders are relative to
 */
export function shop(root: string): Mesh<'east' | 'west'> {
  const mesh = new Mesh('shop', {
    root,
    trustDomain: 'shop.example',
    clusters: {
      east: { network: 'net-east', region: 'us-east1', zone: 'us-east1-b' },
      west: { network: 'net-west', region: 'us-west1', zone: 'us-west1-a' },
    },
    platform: lab,
  });
  const namespace = mesh.namespace('shop');

  const catalog = new GrpcService(namespace, 'catalog', { app: 'apps/catalog', service: CatalogService });
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

  orders.calls(catalog.method.getProduct, inventory.method.reserve);
  orders.calls(catalog.method.watchPrices);

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
