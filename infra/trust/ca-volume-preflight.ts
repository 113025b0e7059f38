import type { Problem } from '../../core/problem.ts';
import type { KubeClient } from '../kube/kube-client.ts';
import { describe, list } from '../kube/kube-object.ts';
import type { CaVolume } from '../plan/stack-config.ts';
import { caVolumeOf, describeVolume } from './ca-volume.ts';
import { istiodsOf } from './live-ca.ts';
import { cacertsKey } from './objects.ts';
import { rootProblems } from './published-roots.ts';

const cut = 'another root CA would cut off every running workload';

/**
 * Everything that keeps the control planes from reading their CAs from a volume: no such driver, one without volumes of pods,
 * a mesh whose CAs come from elsewhere, and roots that differ between clusters. Writes nothing.
 */
export async function caVolumeProblems(
  clients: readonly KubeClient[],
  namespace: string,
  volume: CaVolume,
  signal: AbortSignal | undefined,
): Promise<readonly Problem[]> {
  const problems = await Promise.all(
    clients.map(async (client) => {
      const [driver, other] = await Promise.all([
        driverProblems(client, volume, signal),
        otherSource(client, namespace, volume, signal),
      ]);
      if (other.length > 0) return [...driver, ...other];
      return [...driver, ...(await rootProblems(client, clients, namespace, volume, signal))];
    }),
  );
  return problems.flat();
}

async function driverProblems(
  client: KubeClient,
  volume: CaVolume,
  signal: AbortSignal | undefined,
): Promise<readonly Problem[]> {
  const key = { apiVersion: 'storage.k8s.io/v1', kind: 'CSIDriver', metadata: { name: volume.driver } };
  const live = await client.get(key, signal);
  const problem = { where: `${client.cluster}: ${describe(key)}` };
  if (live === undefined) {
    return [
      {
        ...problem,
        what: 'does not exist, but trust.csi names it: istiod would not start',
        fix: 'install the driver in every cluster first',
      },
    ];
  }
  if (list(live, 'spec', 'volumeLifecycleModes').includes('Ephemeral')) return [];
  return [
    {
      ...problem,
      what: 'gives no volumes that belong to a pod alone: istiod would not start',
      received: list(live, 'spec', 'volumeLifecycleModes').join(', ') || 'Persistent',
      allowed: 'a driver with the volume lifecycle mode Ephemeral',
    },
  ];
}

/** A CA of the mesh that is somewhere else remains the mesh's CA. */
async function otherSource(
  client: KubeClient,
  namespace: string,
  volume: CaVolume,
  signal: AbortSignal | undefined,
): Promise<readonly Problem[]> {
  const key = cacertsKey(namespace);
  if ((await client.get(key, signal)) !== undefined) {
    return [
      {
        where: `${client.cluster}: ${describe(key)}`,
        what: `holds the mesh's CA: ${cut}, and whoever lists Secrets reads the key`,
        received: `trust.csi: ${describeVolume(volume)}`,
        fix: 'leave trust.csi out, or take the mesh down first',
      },
    ];
  }
  return (await istiodsOf(client, namespace, signal)).flatMap((istiod) => {
    const live = caVolumeOf(istiod);
    if (live === undefined || describeVolume(live) === describeVolume(volume)) return [];
    return [
      {
        where: `${client.cluster}: ${describe(istiod)}`,
        what: `reads its CA from another volume than trust.csi names: ${cut}`,
        received: describeVolume(volume),
        allowed: describeVolume(live),
        fix: 'restore the previous trust.csi, or take the mesh down first',
      },
    ];
  });
}

/** The problem of a mesh whose istiods read a volume that the stack does not name. */
export async function unnamedVolume(
  client: KubeClient,
  namespace: string,
  signal: AbortSignal | undefined,
): Promise<readonly Problem[]> {
  return (await istiodsOf(client, namespace, signal)).flatMap((istiod) => {
    const live = caVolumeOf(istiod);
    if (live === undefined) return [];
    return [
      {
        where: `${client.cluster}: ${describe(istiod)}`,
        what: `reads its CA from a volume, but the stack has no trust.csi: ${cut}`,
        allowed: `trust.csi: ${describeVolume(live)}`,
        fix: 'restore the previous trust.csi, or take the mesh down first',
      },
    ];
  });
}
