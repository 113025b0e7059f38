import { HttpEdge } from '../../../charts/constructs/edge/http-edge.ts';
import { Mesh } from '../../../charts/constructs/mesh.ts';
import { ServiceLimits } from '../../../charts/constructs/rate-limits/service-limits.ts';
import { GrpcService } from '../../../charts/constructs/workload/grpc-service.ts';
import { lab } from '../../../charts/platforms.ts';
import { CatalogService } from '../../../gen/shop/catalog/v1/catalog_pb.js';
import { InventoryService } from '../../../gen/shop/inventory/v1/inventory_pb.js';
import { OrdersService } from '../../../gen/shop/orders/v1/orders_pb.js';
import { root } from '../checkout/cli.ts';
import { audience, issuer, jwks } from '../calls/edge.ts';

/** Hosts of the three edges; the open one has every other host. */
export const members = 'members.example';
export const secure = 'secure.example';
export const secret = 'secure-example';

/** The shop's services as echo servers, and three edges before them with real gateways. */
export function edgeMesh(): Mesh<'east' | 'west'> {
  const mesh = new Mesh('shop', {
    root,
    trustDomain: 'shop.example',
    clusters: {
      east: { network: 'net-east', region: 'us-east1', zone: 'us-east1-b' },
      west: { network: 'net-west', region: 'us-west1', zone: 'us-west1-a' },
    },
    platform: lab,
  });
  const shop = mesh.namespace('shop');
  const catalog = new GrpcService(shop, 'catalog', { app: 'apps/catalog', service: CatalogService });
  const inventory = new GrpcService(shop, 'inventory', {
    app: 'apps/inventory',
    service: InventoryService,
    placement: ['west'],
  });
  const orders = new GrpcService(shop, 'orders', {
    app: 'apps/orders',
    service: OrdersService,
    placement: ['east'],
  });
  catalog.calls(inventory.method.getStock);
  orders.calls(catalog.method.getProduct, inventory.method.getStock, inventory.method.reserve);
  new ServiceLimits(inventory, 'limits', {
    rateLimits: [{ method: inventory.method.getStock, perSecond: 1, burst: 5, by: 'client' }],
  });

  const web = mesh.namespace('web');
  new HttpEdge(web, 'open', {
    expose: [catalog.method.getProduct, catalog.method.listProducts],
    rateLimits: [{ method: catalog.method.listProducts, perSecond: 1, burst: 5, by: 'client' }],
    cors: { origins: ['https://shop.example'], exposeHeaders: ['x-served-by'] },
  });
  new HttpEdge(web, 'members', {
    hosts: [members],
    expose: [catalog, orders],
    jwt: {
      issuer,
      audiences: [audience],
      jwks,
      claims: { sub: 'x-user' },
      except: [catalog.method.listProducts],
      rules: [{ method: orders.method.createOrder, claim: 'role', values: ['buyer'] }],
    },
    rateLimits: [{ method: orders.method.listOrders, perSecond: 1, burst: 5, by: 'client' }],
    cors: { origins: ['https://shop.example'] },
    placement: ['east'],
  });
  new HttpEdge(web, 'secure', {
    hosts: [secure],
    expose: [catalog.method.getProduct],
    tls: { secret },
    placement: ['west'],
  });
  return mesh;
}
