import { GrpcService } from '../../../charts/constructs/workload/grpc-service.ts';
import { HttpEdge } from '../../../charts/constructs/edge/http-edge.ts';
import { Mesh } from '../../../charts/constructs/mesh.ts';
import { lab } from '../../../charts/platforms.ts';
import { CatalogService } from '../../../gen/shop/catalog/v1/catalog_pb.js';
import { InventoryService } from '../../../gen/shop/inventory/v1/inventory_pb.js';
import { OrdersService } from '../../../gen/shop/orders/v1/orders_pb.js';
import { root } from '../checkout/cli.ts';
import { collectorHost } from '../telemetry/collector.ts';

/** The sample shop with traces: all that begin at a proxy, but none of those that begin at the catalog's. */
export function tracedShop() {
  const mesh = new Mesh('shop', {
    root,
    trustDomain: 'shop.example',
    clusters: {
      east: { network: 'net-east', region: 'us-east1', zone: 'us-east1-b' },
      west: { network: 'net-west', region: 'us-west1', zone: 'us-west1-a' },
    },
    platform: lab,
    tracing: { collector: { host: collectorHost }, samplingPercent: 100 },
  });
  const namespace = mesh.namespace('shop');
  const catalog = new GrpcService(namespace, 'catalog', {
    app: 'apps/catalog',
    service: CatalogService,
    tracing: { samplingPercent: 0 },
  });
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
  orders.calls(catalog.method.getProduct, inventory.method.reserve, inventory.method.getStock);
  catalog.calls(inventory.method.getStock);
  new HttpEdge(namespace, 'edge', { expose: [catalog, inventory, orders] });
  return mesh;
}
