import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadAppConfig } from '../apps/config/app-config.ts';
import { bundleApp } from '../images/bundle.ts';
import { freePort } from '../apps/testing/free-port.ts';
import { defaultCacheDir } from '../toolchain/cache.ts';
import { ensureTools } from '../toolchain/build.ts';
import { startEnvoy } from '../test/peers/envoy.ts';
import { startPeer } from '../test/peers/process.ts';
import type { Peer } from '../test/peers/process.ts';
import { ensurePeerPrograms } from '../test/peers/programs.ts';
import { formatContest, formatGoals } from './contest-table.ts';
import { runContest, twoProcessors } from './contest.ts';
import type { ContestRow, Contestant, Workload } from './contest.ts';

const root = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '');

const services = ['shop.catalog.v1.CatalogService', 'shop.orders.v1.OrdersService'];

const [ours, baseline, connect] = ['meshwright', 'grpc-gateway', 'connect-node'] as const;
const bare = '@grpc/grpc-js';

const requests: readonly Workload[] = [
  { name: 'GET GetProduct', flags: (address) => ['-url', `http://${address}/v1/products/lamp`] },
  {
    name: 'POST CreateOrder',
    flags: (address) => ['-url', `http://${address}/v1/orders`, '-body', '{"productId":"lamp","quantity":3}'],
  },
];

const calls: readonly Workload[] = [
  { name: 'unary GetProduct', flags: (address) => ['-url', `grpc://${address}`] },
];

/** The figures of the gateways and of the servers. */
export interface GatewayFigures {
  readonly gateways: readonly ContestRow[];
  readonly servers: readonly ContestRow[];
}

/**
 * Compares the gateway, bundled as in its image, with grpc-gateway v2 and Envoy's transcoder in front of one backend, and a
 * service on apps/runtime with other servers. The program under test has its own processor; load generator and backend
 * share another. Traffic stays on the loopback interface.
 * @throws ProblemsError when there is only one processor, a program cannot be built, or a request fails
 */
export async function benchGateway(rounds: number, report: (line: string) => void): Promise<GatewayFigures> {
  const [processor, other] = twoProcessors();
  const places = { root, cacheDir: defaultCacheDir(), logsDir: join(root, '.meshwright', 'logs'), report };
  const programs = await ensurePeerPrograms(places);
  const { envoy } = await ensureTools({ ...places, sets: ['envoy'] });
  const scratch = mkdtempSync(join(tmpdir(), 'meshwright-bench-'));
  const run = { rounds, load: programs.load, processor: other, report };
  const goBackend = (on: number) =>
    startPeer({ name: 'grpc-go', command: programs.backend, args: [], env: oneThread, processor: on });
  const node = async (
    name: string,
    directory: string,
    env: (port: number) => Record<string, string>,
    options: readonly string[] = [],
  ) => {
    const file = join(scratch, `${name.replace(/\W/g, '-')}.mjs`);
    writeFileSync(file, (await bundleApp(root, directory)).code);
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
  };
  let backend: Peer | undefined;
  try {
    backend = await goBackend(other);
    const { address } = backend;
    const gateways = await runContest({
      ...run,
      workloads: requests,
      contestants: [
        {
          name: ours,
          start: () =>
            node(
              ours,
              'apps/gateway',
              (port) => ({
                ...podEnvironment,
                HTTP_PORT: String(port),
                UPSTREAMS: services.map((service) => `${service}=${address}`).join(','),
              }),
              loadAppConfig(root, 'apps/gateway').image.nodeOptions,
            ),
        },
        {
          name: baseline,
          start: () =>
            startPeer({
              name: baseline,
              command: programs.gateway,
              args: ['-backend', address],
              env: oneThread,
              processor,
            }),
        },
        {
          name: 'Envoy',
          start: () =>
            startEnvoy({
              root,
              envoy,
              folder: join(scratch, 'envoy'),
              backend: address,
              services,
              processor,
            }),
        },
      ],
    });
    const servers = await runContest({
      ...run,
      workloads: calls,
      contestants: [
        {
          name: ours,
          start: () =>
            node('runtime', 'bench/servers/runtime', (port) => ({
              ...podEnvironment,
              GRPC_PORT: String(port),
            })),
        },
        ...[bare, connect].map((name): Contestant => ({
          name,
          start: () =>
            node(name, `bench/servers/${name === bare ? 'grpc-js' : 'connect'}`, (port) => ({
              PORT: String(port),
            })),
        })),
        { name: 'grpc-go', start: () => goBackend(processor) },
      ],
    });
    return { gateways, servers };
  } finally {
    await backend?.stop();
    rmSync(scratch, { recursive: true });
  }
}

const oneThread = { GOMAXPROCS: '1' };

/** Environment of a pod's container, apart from its ports. */
const podEnvironment = {
  CLUSTER_NAME: 'bench',
  POD_NAME: 'bench',
  POD_NAMESPACE: 'bench',
  DRAIN_DELAY_MS: '0',
  DRAIN_LIMIT_MS: '1000',
};

/** Both tables, and whether the goals are reached. */
export function formatGateway({ gateways, servers }: GatewayFigures): string {
  return [
    formatContest('gateway', gateways, baseline),
    formatContest('server', servers, bare),
    formatGoals(gateways, [
      { contestant: ours, baseline, measure: 'cpu', atMost: 1.5 },
      { contestant: ours, baseline, measure: 'cpu', atMost: 1 },
      { contestant: ours, baseline, measure: 'p99', atMost: 2 },
    ]) + formatGoals(servers, [{ contestant: ours, baseline: bare, measure: 'cpu', atMost: 1.15 }]),
  ].join('\n');
}
