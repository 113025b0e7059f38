import { beforeAll, expect, test } from '@jest/globals';
import { waitFor } from '../../core/wait.ts';
import {
  connectionsTo,
  drainLoad,
  drainMesh,
  drainProject,
  flows,
  placements,
  podNames,
  requests,
  unsettled,
  type Cluster,
} from './meshes/drain-mesh.ts';
import { ensureLab, kubectl, status } from './checkout/lab.ts';
import { startLoad } from './load/steady-load.ts';
import { applyVariant } from './checkout/variant.ts';

const minute = 60_000;
const clusters = ['east', 'west'] as const;
const services = Object.entries(placements).flatMap(([app, placed]) =>
  placed.map((cluster) => ({ app, cluster })),
);
let ingress: Readonly<Record<string, string>>;

beforeAll(async () => {
  await ensureLab();
  const project = drainProject();
  try {
    await applyVariant(drainMesh(project.root), { change: drainLoad });
  } finally {
    project.remove();
  }
  await settled(services);
  const { clusters: seen } = await status();
  ingress = Object.fromEntries(
    clusters.map((name) => [`through ${name}`, `${seen[name]!.ingress}${requests[name]}`]),
  );
}, 60 * minute);

/** Awaits that these workloads have the pods they should have, all ready, and no other. */
async function settled(of: readonly { readonly app: string; readonly cluster: Cluster }[]): Promise<void> {
  const limits = { what: 'all pods to be ready, and none to end', timeoutMs: 2 * minute, intervalMs: 2_000 };
  await waitFor(limits, () => {
    const because = of.map(({ app, cluster }) => unsettled(cluster, app)).find((each) => each !== undefined);
    return because === undefined ? { done: true, value: true } : { done: false, because };
  });
}

/** What the calls got that were made during the work. */
async function underLoad(what: string, work: () => Promise<void>) {
  const load = await startLoad({ clusters, flows, ingress });
  const working = work();
  await working.catch(() => undefined);
  const { failures, ...counts } = await load.stop();
  await working;
  process.stderr.write(`${what}: ${JSON.stringify(counts)}\n`);
  return { failures, failed: counts.failed };
}

test(
  'connections that the servers replace every 2 seconds lose no call',
  async () => {
    const grpc = services.filter(({ app }) => app !== 'edge');
    const count = () => grpc.map(({ app, cluster }) => connectionsTo(cluster, app));
    const replaced = (before: readonly number[]) => count().map((total, index) => total - before[index]!);
    const result = await underLoad('connections of age', async () => {
      const before = count();
      // Asking every proxy takes a good part of a small machine's time.
      const limits = {
        what: '25 new connections to each service',
        timeoutMs: 2 * minute,
        intervalMs: 10_000,
      };
      await waitFor(limits, () => {
        const since = replaced(before);
        return since.every((each) => each >= 25)
          ? { done: true, value: true }
          : { done: false, because: `there were ${since.join(', ')}` };
      });
      const shown = grpc.map(({ app, cluster }, index) => `${app}/${cluster} ${replaced(before)[index]}`);
      process.stderr.write(`new connections: ${shown.join(', ')}\n`);
    });
    expect(result).toEqual({ failures: [], failed: 0 });
  },
  15 * minute,
);

test(
  'a pod of each service in turn ends without a failed call',
  async () => {
    const result = await underLoad('a pod of each service ended', async () => {
      for (const [app, placed] of Object.entries(placements)) {
        for (const cluster of placed) {
          const [pod] = podNames(cluster, app);
          kubectl(cluster, '-n', 'shop', 'delete', 'pod', pod!, '--wait=false');
        }
        await settled(placed.map((cluster) => ({ app, cluster })));
      }
    });
    expect(result).toEqual({ failures: [], failed: 0 });
  },
  15 * minute,
);
