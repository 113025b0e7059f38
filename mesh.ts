import { comments } from './gen/comments.js';
import { CatalogService } from './gen/shop/catalog/v1/catalog_pb.js';
import { InventoryService } from './gen/shop/inventory/v1/inventory_pb.js';
import { OrdersService } from './gen/shop/orders/v1/orders_pb.js';
import { declare, GrpcService, HttpEdge, lab, Mesh, released, TrafficPolicy } from './charts/index.ts';

/** The sample shop: the catalog in both clusters, orders taken in the east, stock kept in the west, one HTTP edge. */
export default declare({
  // What differs between the environments. Regions and zones are what the labels of the clusters' nodes say.
  environments: {
    lab: {
      platform: lab,
      clusters: {
        east: { network: 'net-east', region: 'us-east1', zone: 'us-east1-b' },
        west: { network: 'net-west', region: 'us-west1', zone: 'us-west1-a' },
      },
      gateways: {},
    },
    // An example, as Pulumi.prod.yaml is: replace the registry, the networks and the addresses.
    prod: {
      platform: released({ imageHub: 'registry.example/shop', istioTag: '1.29.2' }),
      clusters: {
        east: { network: 'vpc-east', region: 'us-east-1', zone: 'us-east-1a' },
        west: { network: 'vpc-west', region: 'us-west-2', zone: 'us-west-2a' },
      },
      gateways: {
        // Only the other cluster's nodes call it, from the addresses that they leave their network by.
        eastWest: { type: 'LoadBalancer', sources: ['192.0.2.0/24', '198.51.100.0/24'] },
        ingress: { type: 'LoadBalancer', sources: { any: 'customers call from anywhere' } },
      },
    },
  },

  mesh: ({ root, values }) => {
    const mesh = new Mesh('shop', { root, trustDomain: 'shop.example', comments, ...values });
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
  },
});
