/**
 * What must not compile of versions and traffic. Read by the compiler only: an unused `@ts-expect-error` is an error.
 */
import { CatalogService } from '../gen/shop/catalog/v1/catalog_pb.js';
import { GrpcService } from './constructs/grpc-service.ts';
import { HttpGateway } from './constructs/http-gateway.ts';
import { Mesh } from './constructs/mesh.ts';
import { lab } from './platforms.ts';

const clusters = {
  east: { network: 'net-east', region: 'r1', zone: 'z1' },
  west: { network: 'net-west', region: 'r2', zone: 'z2' },
};
const mesh = new Mesh('demo', { root: '.', trustDomain: 'demo.example', clusters, platform: lab });
const shop = mesh.namespace('shop');
const props = { app: 'apps/catalog', service: CatalogService } as const;

// What must compile, and with these types.
const one = new GrpcService(shop, 'one', props);
export const first: readonly 'v1'[] = one.versions;
const catalog = new GrpcService(shop, 'catalog', {
  ...props,
  versions: { v1: { image: 'catalog:1.4.0' }, v2: { placement: ['west'], replicas: 1 } },
});
export const both: readonly ('v1' | 'v2')[] = catalog.versions;
one.calls(catalog.method.getProduct);
new HttpGateway(shop, 'edge', { expose: [one, catalog] });

// @ts-expect-error a version that does not run
export const third: readonly 'v3'[] = catalog.versions;
// @ts-expect-error a version in a cluster the mesh does not have
new GrpcService(shop, 'x1', { ...props, versions: { v1: { placement: ['north'] } } });
// @ts-expect-error a misspelled property of a version
new GrpcService(shop, 'x2', { ...props, versions: { v1: { imag: 'catalog:1' } } });
// @ts-expect-error replicas as text
new GrpcService(shop, 'x3', { ...props, versions: { v1: { replicas: '2' } } });
