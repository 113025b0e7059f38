import { ProblemsError } from '../../core/problem.ts';
import type { Problem } from '../../core/problem.ts';
import { waitFor } from '../../core/wait.ts';
import type { KubeClient } from '../kube/kube-client.ts';
import { describe, text } from '../kube/kube-object.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import type { CaVolume } from '../plan/stack-config.ts';
import { describeVolume } from './ca-volume.ts';
import { rootsKey } from './live-ca.ts';
import { parseCertificates, sameCertificates } from './pem.ts';

const timeoutMs = 60_000;
const intervalMs = 500;

/**
 * Waits until the istiod of a cluster has published the roots of the CA that it read from a volume, and checks them. What is in
 * the volume cannot be looked at: istiod takes an empty one for the wish to make a CA of its own, which no other cluster trusts.
 * @param clients - of all clusters, which must share their roots
 * @throws ProblemsError (exit 1) after a minute, for a CA that istiod made, and for other roots than those of another cluster.
 */
export async function awaitRoots(
  client: KubeClient,
  clients: readonly KubeClient[],
  namespace: string,
  volume: CaVolume,
  signal: AbortSignal | undefined,
): Promise<void> {
  const key = rootsKey(namespace);
  const what = `${client.cluster}: ${describe(key)} published by istiod`;
  const context = client.config.getCurrentContext();
  const whereToLook = () =>
    `kubectl --context ${context} --namespace ${namespace} logs --selector app=istiod`;
  await waitFor({ what, timeoutMs, intervalMs, whereToLook, ...(signal && { signal }) }, async () =>
    (await client.get(key, signal)) === undefined
      ? { done: false, because: 'it does not exist' }
      : { done: true, value: true },
  );
  const problems = await rootProblems(client, clients, namespace, volume, signal);
  if (problems.length > 0) throw new ProblemsError(problems, 1);
}

/** The Secret in which istiod keeps a CA that it made because it found none. */
function madeKey(namespace: string): KubeObject {
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'istio-ca-secret', namespace } };
}

/** Problems of the roots that a cluster's istiod publishes; none before it does. */
export async function rootProblems(
  client: KubeClient,
  clients: readonly KubeClient[],
  namespace: string,
  volume: CaVolume,
  signal: AbortSignal | undefined,
): Promise<readonly Problem[]> {
  const files = 'ca-cert.pem, ca-key.pem, cert-chain.pem and root-cert.pem';
  const made = madeKey(namespace);
  if ((await client.get(made, signal)) !== undefined) {
    return [
      {
        where: `${client.cluster}: ${describe(made)}`,
        what: `istiod found no CA in the volume of the ${describeVolume(volume)}, and signs with one that it made itself: no other cluster trusts it, and its key is in a Secret`,
        allowed: files,
        fix: `have the driver give these files, delete the Secret, and restart istiod: kubectl --context ${client.config.getCurrentContext()} --namespace ${namespace} rollout restart deployment --selector app=istiod`,
      },
    ];
  }
  const key = rootsKey(namespace);
  const rootsOf = async (one: KubeClient) =>
    parseCertificates(text(await one.get(key, signal), 'data', 'root-cert.pem') ?? '');
  const own = await rootsOf(client);
  if (own === undefined) return [];
  const others = await Promise.all(
    clients
      .filter(({ cluster }) => cluster !== client.cluster)
      .map(async (other) => ({ cluster: other.cluster, roots: await rootsOf(other) })),
  );
  const unlike = others
    .filter(({ roots }) => roots !== undefined && !sameCertificates(roots, own))
    .map(({ cluster }) => cluster);
  if (unlike.length === 0) return [];
  return [
    {
      where: `${client.cluster}: ${describe(key)}`,
      what: `istiod publishes other roots than in ${unlike.join(', ')}: calls between these clusters fail`,
      received: `the CA from the ${describeVolume(volume)}`,
      fix: 'give all clusters CAs of one root, and the same root-cert.pem',
    },
  ];
}
