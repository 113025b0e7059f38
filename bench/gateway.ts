import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defaultCacheDir } from '../toolchain/cache.ts';
import { ensureTools } from '../toolchain/build.ts';
import { startEnvoy } from '../test/peers/envoy.ts';
import { startPeer } from '../test/peers/process.ts';
import type { Peer } from '../test/peers/process.ts';
import { ensurePeerPrograms } from '../test/peers/programs.ts';
import { formatContest, formatGoals } from './contest-table.ts';
import { runContest, twoProcessors } from './contest.ts';
import type { ContestRow, Contestant } from './contest.ts';
import {
  calls,
  oneThread,
  requests,
  root,
  services,
  startBackend,
  startGateway,
  startNode,
  startRuntime,
} from './programs.ts';

const [ours, baseline, connect] = ['meshwright', 'grpc-gateway', 'connect-node'] as const;
const bare = '@grpc/grpc-js';

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
  const on = { scratch, processor };
  const run = { rounds, load: programs.load, processor: other, report };
  let backend: Peer | undefined;
  try {
    backend = await startBackend(programs.backend, other);
    const { address } = backend;
    const gateways = await runContest({
      ...run,
      workloads: requests,
      contestants: [
        {
          name: ours,
          start: () => startGateway({ ...on, root, name: ours }, address),
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
          start: () => startRuntime({ ...on, root, name: ours }),
        },
        ...[bare, connect].map((name): Contestant => ({
          name,
          start: () =>
            startNode(
              { ...on, root, name, app: `bench/servers/${name === bare ? 'grpc-js' : 'connect'}` },
              (port) => ({
                PORT: String(port),
              }),
            ),
        })),
        { name: 'grpc-go', start: () => startBackend(programs.backend, processor) },
      ],
    });
    return { gateways, servers };
  } finally {
    await backend?.stop();
    rmSync(scratch, { recursive: true });
  }
}

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
