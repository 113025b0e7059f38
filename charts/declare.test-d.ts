/**
 * What must not compile. Read by the compiler only: an unused `@ts-expect-error` is an error, so each line holds.
 */
/* eslint-disable @typescript-eslint/no-unsafe-assignment -- the compiler refuses these on purpose */
import { declare } from './declare.ts';
import { GrpcService } from './constructs/workload/grpc-service.ts';
import { Mesh } from './constructs/mesh.ts';
import { CatalogService } from '../gen/test/catalog/v1/catalog_pb.js';
import { lab, released } from './platforms.ts';

const clusters = {
  east: { network: 'net-east', region: 'r1', zone: 'z1' },
  west: { network: 'net-west', region: 'r2', zone: 'z2' },
};
const hubs = released({ imageHub: 'registry.example/shop', istioTag: '1.29.2' });
const trustDomain = 'demo.example';

// What must compile, and with these types.
const declaration = declare({
  environments: {
    lab: { platform: lab, clusters, gateways: {}, replicas: 1 },
    prod: {
      platform: hubs,
      clusters,
      gateways: { ingress: { type: 'LoadBalancer', sources: ['192.0.2.0/24'] } },
      replicas: 3,
    },
  },
  mesh: ({ root, environment, values: { platform, gateways, clusters: declared, replicas } }) => {
    const mesh = new Mesh('demo', { root, trustDomain, platform, gateways, clusters: declared });
    const app = { app: 'apps/catalog', service: CatalogService };
    const catalog = new GrpcService(mesh.namespace('shop'), 'catalog', { ...app, placement: ['west'] });
    const count: number = replicas;
    // @ts-expect-error a cluster that no environment has
    new GrpcService(catalog.namespace, 'x1', { ...app, placement: ['weest'] });
    // @ts-expect-error an environment that there is not
    if (environment === 'prd' && count === 1) return mesh;
    return mesh;
  },
});
export const names: readonly ('lab' | 'prod')[] = declaration.environments;
export const made: Mesh<'east' | 'west'> = declaration.mesh({ root: '.', environment: 'prod' });
// @ts-expect-error an environment that there is not
declaration.mesh({ root: '.', environment: 'prd' });

// Environments with different clusters: a service runs where the values of its environment say.
const [north, south] = [clusters.east, clusters.west];
const different = declare({
  environments: {
    lab: { platform: lab, clusters, placement: { orders: ['west'] } },
    prod: { platform: hubs, clusters: { a: north, b: south, c: north }, placement: { orders: ['a', 'c'] } },
  },
  mesh: ({ root, values: { platform, clusters: declared, placement } }) => {
    const mesh = new Mesh('demo', { root, trustDomain, platform, clusters: declared });
    const app = { app: 'apps/catalog', service: CatalogService };
    const namespace = mesh.namespace('shop');
    new GrpcService(namespace, 'orders', { ...app, placement: placement.orders });
    // @ts-expect-error a cluster that no environment has
    new GrpcService(namespace, 'x2', { ...app, placement: ['d'] });
    // @ts-expect-error a workload that the values do not place
    new GrpcService(namespace, 'x3', { ...app, placement: placement.oders });
    return mesh;
  },
});
declare({
  environments: {
    lab: { platform: lab, clusters, placement: { orders: ['west'] } },
    prod: { platform: hubs, clusters: { a: north }, placement: { orders: ['aa'] } },
  },
  mesh: ({ root, values: { platform, clusters: declared, placement } }) => {
    const mesh = new Mesh('demo', { root, trustDomain, platform, clusters: declared });
    const app = { app: 'apps/catalog', service: CatalogService };
    // @ts-expect-error values that name a cluster that no environment has
    new GrpcService(mesh.namespace('shop'), 'orders', { ...app, placement: placement.orders });
    return mesh;
  },
});
export const ofAll: Mesh<'east' | 'west' | 'a' | 'b' | 'c'> = different.mesh({
  root: '.',
  environment: 'prod',
});

const mesh = () => new Mesh('demo', { root: '.', trustDomain, platform: lab, clusters });
declare({
  environments: {
    lab: { platform: lab, replicas: 1 },
    // @ts-expect-error a value that another environment has
    prod: { platform: hubs },
  },
  mesh,
});
declare({
  environments: {
    // @ts-expect-error a misspelt value, which the other environment then does not have
    lab: { platform: lab, replcas: 1 },
    // @ts-expect-error likewise from the other side
    prod: { platform: hubs, replicas: 3 },
  },
  mesh,
});
// A type of one's own may leave values out where it says so.
interface Values {
  readonly replicas?: number;
}
const few: Values = {};
declare({ environments: { lab: few, prod: { replicas: 3 } }, mesh });
// @ts-expect-error a declaration that makes no mesh
declare({ environments: { lab: {} }, mesh: () => undefined });
// @ts-expect-error a declaration without environments
declare({ mesh });
