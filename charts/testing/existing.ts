import { InventoryService } from '../../gen/test/inventory/v1/inventory_pb.js';
import { OrdersService } from '../../gen/test/orders/v1/orders_pb.js';
import { HttpEdge } from '../constructs/edge/http-edge.ts';
import { GrpcService } from '../constructs/workload/grpc-service.ts';
import { Mesh, type MeshProps } from '../constructs/mesh.ts';
import { existing, type ExistingOptions } from '../platforms.ts';
import type { KubernetesObject } from '../model/mesh-model.ts';
import { synthesize } from '../synth.ts';
import { jwt } from './edge.ts';
import { catalogIn, clusters, objectsOf } from './mesh.ts';
import { withProject } from './project.ts';

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

/** The services of the tests in such a mesh: catalog in a namespace of its own, orders and inventory in a shared one. */
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

/** What a mesh renders for `east`, after a declaration in it. */
export function rendered(
  declare: (shop: ReturnType<typeof shopOnExisting>) => void,
  ...given: Parameters<typeof onExisting> extends [string, ...infer Rest] ? Rest : never
): readonly KubernetesObject[] {
  return withProject({}, (root) => {
    const mesh = onExisting(root, ...given);
    declare(shopOnExisting(mesh));
    return objectsOf(synthesize(mesh), 'east');
  });
}

/** Those of a namespace. */
export const inNamespace = (objects: readonly KubernetesObject[], namespace: string) =>
  objects.filter(({ metadata }) => metadata.namespace === namespace);
/** The first of a kind and name. */
export const find = (objects: readonly KubernetesObject[], kind: string, name: string) =>
  objects.find((object) => object.kind === kind && object.metadata.name === name);

/** With gateways of others. */
export const joined = { ingress: theirGateways };
/** Declares an edge that says all that one can. */
export const edge = ({ shop, catalog, orders }: ReturnType<typeof shopOnExisting>) =>
  new HttpEdge(shop, 'edge', {
    expose: [catalog.method.getProduct, orders.method.getOrder],
    hosts: ['api.example'],
    jwt: { ...jwt, claims: { sub: 'x-user' }, except: [catalog.method.getProduct] },
    rateLimits: [{ by: 'client', perSecond: 5 }],
    cors: { origins: ['https://shop.example'] },
    openapi: true,
    tls: { secret: 'api-tls' },
  });
