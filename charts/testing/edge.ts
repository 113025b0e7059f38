import { InventoryService } from '../../gen/test/inventory/v1/inventory_pb.js';
import { OrdersService } from '../../gen/test/orders/v1/orders_pb.js';
import { HttpEdge, type HttpEdgeProps } from '../constructs/edge/http-edge.ts';
import type { Jwt } from '../constructs/edge/jwt.ts';
import { GrpcService } from '../constructs/workload/grpc-service.ts';
import type { Mesh } from '../constructs/mesh.ts';
import type { Namespace } from '../constructs/scope/mesh-construct.ts';
import { synthesize } from '../synth.ts';
import type { Rule } from './library.ts';
import { catalogIn, objectOf, twoClusters } from './mesh.ts';
import { withProject } from './project.ts';

type Clusters = 'east' | 'west';

interface Shop {
  readonly mesh: Mesh<Clusters>;
  readonly shop: Namespace<Clusters>;
  readonly catalog: ReturnType<typeof catalogIn<Clusters>>;
  readonly orders: GrpcService<typeof OrdersService, Clusters>;
  readonly inventory: GrpcService<typeof InventoryService, Clusters>;
}

/** What the policy of every edge asks of a request for its HTTP gateway: that it is no gRPC. */
export const isNotGrpc = {
  key: 'request.headers[content-type]',
  notValues: ['application/grpc', 'application/grpc+*'],
};

/** Runs a test with three services, before which it may declare edges. */
export function withShop(run: (shop: Shop) => void): void {
  withProject({}, (root) => {
    const mesh = twoClusters(root);
    const shop = mesh.namespace('shop');
    const catalog = catalogIn(shop);
    const orders = new GrpcService(shop, 'orders', { app: 'apps/orders', service: OrdersService });
    const inventory = new GrpcService(shop, 'inventory', {
      app: 'apps/inventory',
      service: InventoryService,
    });
    run({ mesh, shop, catalog, orders, inventory });
  });
}

/** Declares an edge as plain JavaScript may: with anything. */
export function anyEdge(shop: Namespace<Clusters>, props: object): void {
  new HttpEdge(shop, 'edge', props as HttpEdgeProps<Clusters>);
}

/** A rule that binds a method to GET of the path. */
export const get = (path: string): Rule => ({ pattern: { case: 'get', value: path } });

/** What an edge with tokens says at least. */
export const jwt = {
  issuer: 'https://id.example',
  audiences: ['shop'],
  jwksUri: 'https://id.example/keys',
} as const satisfies Jwt<Clusters>;

/** Body of an object in one of the clusters: all have the same. */
export const ofGateways = (mesh: Mesh<string>, kind: string, name: string) =>
  objectOf(synthesize(mesh), 'west', kind, name)?.['spec'] as Record<string, unknown> | undefined;
