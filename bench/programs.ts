import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadAppConfig } from '../apps/config/app-config.ts';
import { descriptorSet } from '../apps/config/descriptors/descriptor-set.ts';
import { freePort } from '../apps/testing/free-port.ts';
import { CatalogService } from '../gen/test/catalog/v1/catalog_pb.js';
import { OrdersService } from '../gen/test/orders/v1/orders_pb.js';
import { bundleApp } from '../images/bundle.ts';
import { startPeer } from '../test/peers/process.ts';
import type { Peer } from '../test/peers/process.ts';
import type { Workload } from './contest.ts';

/** This checkout. */
export const root = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '');

const descs = [CatalogService, OrdersService];

export const services: readonly string[] = descs.map(({ typeName }) => typeName);

/** What a gateway is asked. */
export const requests: readonly Workload[] = [
  { name: 'GET GetProduct', flags: (address) => ['-url', `http://${address}/v1/products/lamp`] },
  {
    name: 'POST CreateOrder',
    flags: (address) => ['-url', `http://${address}/v1/orders`, '-body', '{"productId":"lamp","quantity":3}'],
  },
];

/** What a gRPC server is asked. */
export const calls: readonly Workload[] = [
  { name: 'unary GetProduct', flags: (address) => ['-url', `grpc://${address}`] },
];

/** Where a program runs. */
export interface Place {
  /** A checkout: the program is made of its sources and of its packages. */
  readonly root: string;
  /** Names the program in tables and files. */
  readonly name: string;
  /** A folder for bundles and logs. */
  readonly scratch: string;
  /** Number of its processor. */
  readonly processor: number;
}

/** The gateway of a checkout, bundled as in its image, in front of a backend. */
export async function startGateway(place: Place, backend: string): Promise<Peer> {
  const app = 'apps/gateway';
  const metrics = String(await freePort());
  const descriptors = join(place.scratch, 'descriptors.binpb');
  writeFileSync(descriptors, descriptorSet(descs).bytes);
  return startNode({ ...place, app, options: loadAppConfig(place.root, app).image.nodeOptions }, (port) => ({
    ...podEnvironment,
    HTTP_PORT: String(port),
    // Those of two checkouts run side by side.
    METRICS_PORT: metrics,
    DESCRIPTORS: descriptors,
    UPSTREAMS: services.map((service) => `${service}=${backend}`).join(','),
  }));
}

/** A service on the apps/runtime of a checkout. */
export function startRuntime(place: Place): Promise<Peer> {
  return startNode({ ...place, app: 'bench/servers/runtime' }, (port) => ({
    ...podEnvironment,
    GRPC_PORT: String(port),
  }));
}

/** grpc-go's server. */
export function startBackend(program: string, processor: number): Promise<Peer> {
  return startPeer({ name: 'grpc-go', command: program, args: [], env: oneThread, processor });
}

/** Bundles a program of Node, starts it, and waits for its port. */
export async function startNode(
  {
    root: checkout,
    name,
    scratch,
    processor,
    app,
    options = [],
  }: Place & {
    readonly app: string;
    readonly options?: readonly string[];
  },
  env: (port: number) => Record<string, string>,
): Promise<Peer> {
  const file = join(scratch, `${`${name}-${app}`.replace(/\W/g, '-')}.mjs`);
  writeFileSync(file, (await bundleApp(checkout, app)).code);
  const port = await freePort();
  return startPeer({
    name,
    command: process.execPath,
    args: [...options, file],
    env: { NODE_ENV: 'production', ...env(port) },
    processor,
    port,
    logFile: `${file}.log`,
  });
}

export const oneThread = { GOMAXPROCS: '1' };

/** Environment of a pod's container, apart from its ports. */
const podEnvironment = {
  CLUSTER_NAME: 'bench',
  POD_NAME: 'bench',
  POD_NAMESPACE: 'bench',
  DRAIN_DELAY_MS: '0',
  DRAIN_LIMIT_MS: '1000',
};
