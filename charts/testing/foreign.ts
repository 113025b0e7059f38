import { CatalogService } from '../../gen/test/catalog/v1/catalog_pb.js';
import { InventoryService } from '../../gen/test/inventory/v1/inventory_pb.js';
import { OrdersService } from '../../gen/test/orders/v1/orders_pb.js';
import type { Namespace } from '../constructs/scope/mesh-construct.ts';
import { TcpService, type TcpServiceProps } from '../constructs/tcp/tcp-service.ts';
import { HttpService, type HttpServiceProps } from '../constructs/web/http-service.ts';
import { GrpcService } from '../constructs/workload/grpc-service.ts';
import { synthesize } from '../synth.ts';
import { objectOf, problemsOf, twoClusters } from './mesh.ts';
import { withProject } from './project.ts';

export type Clusters = 'east' | 'west';
export type Shop = Namespace<Clusters>;
export type Rendered = ReturnType<typeof synthesize>;

export const image = 'registry.example/cart:1.4.0';

/** What is rendered of a mesh with this in its namespace shop. */
export function meshWith(
  declare: (shop: Shop, root: string) => unknown,
  platform?: Parameters<typeof twoClusters>[1],
): Rendered {
  return withProject({}, (root) => {
    const mesh = twoClusters(root, platform);
    declare(mesh.namespace('shop'), root);
    return synthesize(mesh);
  });
}

/** What synth says of it, a line each. */
export function refused(declare: (shop: Shop) => unknown): readonly string[] {
  return withProject({}, (root) => {
    const mesh = twoClusters(root);
    declare(mesh.namespace('shop'));
    return problemsOf(mesh);
  });
}

interface Container {
  readonly name: string;
  readonly image: string;
  readonly env?: readonly { readonly name: string }[];
  readonly lifecycle?: unknown;
}

interface Pod {
  readonly metadata: { readonly annotations: Readonly<Record<string, string>> };
  readonly spec: {
    readonly terminationGracePeriodSeconds: number;
    readonly containers: readonly Container[];
  };
}

/** The pods of a Deployment. */
export function podOf(rendered: Rendered, name = 'cart', cluster = 'east'): Pod {
  const deployment = objectOf(rendered, cluster, 'Deployment', name);
  return (deployment as unknown as { spec: { template: Pod } }).spec.template;
}

/** What an object of the east says. */
export const spec = (rendered: Rendered, kind: string, name = 'cart'): unknown =>
  objectOf(rendered, 'east', kind, name)?.['spec'];

/** A cart in six lines, which calls two others. */
export function declareCart(shop: Shop) {
  const catalog = new GrpcService(shop, 'catalog', { app: 'apps/catalog', service: CatalogService });
  const inventory = new GrpcService(shop, 'inventory', { app: 'apps/inventory', service: InventoryService });
  const cart = new GrpcService(shop, 'cart', { image, service: OrdersService, port: 7070 });
  cart.calls(catalog.method.getProduct, inventory.method.reserve);
  const orders = new GrpcService(shop, 'orders', { app: 'apps/orders', service: OrdersService });
  orders.calls(cart.method.createOrder);
  return { catalog, cart, orders };
}

export const redisImage = 'registry.example/redis:8.2.1';

/** A cache on one port, with what else is said of it. */
export function redisIn(
  shop: Shop,
  props: Partial<TcpServiceProps<'redis', Clusters>> = {},
): TcpService<'redis', Clusters> {
  return new TcpService(shop, 'redis', { image: redisImage, ports: { redis: 6379 }, ...props });
}

/** A gRPC service that calls others. */
export function ordersIn(
  shop: Shop,
  placement?: readonly Clusters[],
): GrpcService<typeof OrdersService, Clusters> {
  const where = placement === undefined ? {} : { placement };
  return new GrpcService(shop, 'orders', { app: 'apps/orders', service: OrdersService, ...where });
}

export const frontImage = 'registry.example/front:3.1.0';

/** A web front, with what else is said of it. */
export function frontIn(shop: Shop, props: Partial<HttpServiceProps<Clusters>> = {}): HttpService<Clusters> {
  return new HttpService(shop, 'front', { image: frontImage, port: 8080, ...props });
}
