/**
 * What must not compile of telemetry. Read by the compiler only: an unused `@ts-expect-error` is an error.
 */
import { CatalogService } from '../gen/test/catalog/v1/catalog_pb.js';
import { GrpcService } from './constructs/workload/grpc-service.ts';
import { Mesh } from './constructs/mesh.ts';
import { lab } from './platforms.ts';

const props = {
  root: '.',
  trustDomain: 'demo.example',
  clusters: { east: { network: 'net-east', region: 'r1', zone: 'z1' } },
  platform: lab,
};
const app = { app: 'apps/catalog', service: CatalogService } as const;

// What must compile.
const mesh = new Mesh('demo', { ...props, tracing: { collector: { host: 'otel.example', port: 4317 } } });
const shop = mesh.namespace('shop');
new GrpcService(shop, 'catalog', { ...app, tracing: { samplingPercent: 10 } });

// @ts-expect-error tracing without a collector
new Mesh('x1', { ...props, tracing: { samplingPercent: 10 } });
// @ts-expect-error a collector by its name alone
new Mesh('x2', { ...props, tracing: { collector: 'otel.example:4317' } });
// @ts-expect-error sampling as a string
new GrpcService(shop, 'x3', { ...app, tracing: { samplingPercent: '10%' } });
// @ts-expect-error a collector of one service alone
new GrpcService(shop, 'x4', { ...app, tracing: { collector: { host: 'otel.example' } } });
