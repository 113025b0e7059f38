import { mkdtempSync, rmSync } from 'node:fs';
import { Agent } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { thisWorkspace } from '../../cli/workspace/workspace.ts';
import { ensureTools } from '../../toolchain/build.ts';
import { ask } from '../differential/answer.ts';
import { judge } from '../differential/compare.ts';
import type { Comparison } from '../differential/differences/difference.ts';
import { differences } from '../differential/differences.ts';
import type { PeerName } from '../differential/differences/difference.ts';
import { generated } from '../differential/generated.ts';
import { handPicked } from '../differential/requests.ts';
import { startEnvoy } from '../peers/envoy.ts';
import { startPeer } from '../peers/process.ts';
import type { Peer } from '../peers/process.ts';
import { ensurePeerPrograms } from '../peers/programs.ts';

// The gateway, grpc-gateway v2 and Envoy's transcoder before one backend: programs of this machine, no cluster.

const minute = 60_000;
const services = [
  'conformance.v1.ConformanceService',
  'test.catalog.v1.CatalogService',
  'test.orders.v1.OrdersService',
];
const started: Peer[] = [];
const scratch = mkdtempSync(join(tmpdir(), 'meshwright-transcoding-'));
const agent = new Agent({ keepAlive: true });
const addresses: Partial<Record<'ours' | PeerName, string>> = {};

beforeAll(async () => {
  const { root, cacheDir, logsDir } = thisWorkspace();
  const options = { root, cacheDir, logsDir, report: (line: string) => process.stderr.write(`${line}\n`) };
  const programs = await ensurePeerPrograms(options);
  const { envoy } = await ensureTools({ ...options, sets: ['envoy'] });
  const start = async (peer: Promise<Peer>) => {
    started.push(await peer);
    return started.at(-1)!.address;
  };
  const backend = await start(startPeer({ name: 'backend', command: programs.backend, args: [] }));
  addresses.ours = await start(
    startPeer({
      name: 'gateway',
      command: process.execPath,
      args: [fileURLToPath(new URL('../differential/our-gateway.ts', import.meta.url)), backend],
    }),
  );
  addresses['grpc-gateway'] = await start(
    startPeer({ name: 'grpc-gateway', command: programs.gateway, args: ['-backend', backend] }),
  );
  addresses.Envoy = await start(startEnvoy({ root, envoy, folder: scratch, backend, services }));
}, 30 * minute);

afterAll(async () => {
  agent.destroy();
  await Promise.all(started.map((peer) => peer.stop()));
  rmSync(scratch, { recursive: true });
});

test(
  'every request is answered as grpc-gateway and Envoy answer it, but for what the table says',
  async () => {
    const found: Comparison[] = [];
    for (const request of [...handPicked, ...generated]) {
      const [ours, ...theirs] = await Promise.all(
        (['ours', 'grpc-gateway', 'Envoy'] as const).map((name) =>
          ask(addresses[name] ?? '', request, agent),
        ),
      );
      const [gateway, envoy] = theirs;
      found.push({ request, peer: 'grpc-gateway', ours: ours!, theirs: gateway! });
      found.push({ request, peer: 'Envoy', ours: ours!, theirs: envoy! });
    }
    expect(found.length).toBeGreaterThan(1_000);
    expect(judge(found, differences)).toEqual({ unlisted: [], gone: [] });
  },
  15 * minute,
);
