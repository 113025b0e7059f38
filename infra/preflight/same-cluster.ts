import type { Problem } from '../../core/problem.ts';
import { KubeError } from '../kube/kube-http.ts';
import type { KubeClient } from '../kube/kube-client.ts';
import { text } from '../kube/kube-object.ts';

const kubeSystem = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'kube-system' } };

/** Contexts that reach the same cluster, even by different addresses: the uid of kube-system identifies a cluster. */
export async function sameClusters(
  clients: readonly KubeClient[],
  signal: AbortSignal | undefined,
): Promise<readonly Problem[]> {
  const seen = await Promise.all(
    clients.map(async (client) => ({ client, uid: await uidOf(client, signal) })),
  );
  return seen.flatMap(({ client, uid }, index): Problem[] => {
    const first = seen.slice(0, index).find((other) => uid !== undefined && other.uid === uid)?.client;
    if (first === undefined) return [];
    const [context, other] = [client, first].map(({ config }) => config.getCurrentContext());
    return [
      {
        where: `cluster ${client.cluster}`,
        what: `context ${context ?? ''} reaches the same Kubernetes cluster as context ${other ?? ''} of ${first.cluster}`,
        received: client.server,
        allowed: 'a Kubernetes cluster of its own for each cluster of the mesh',
        fix: `name another context with --context ${client.cluster}=CONTEXT`,
      },
    ];
  });
}

/**
 * The one of other clients that reaches the same cluster as this one.
 * @returns `unknown` when the credentials of this one may not read what tells; none when it is a cluster of its own
 */
export async function findSame(
  client: KubeClient,
  others: readonly KubeClient[],
  signal: AbortSignal | undefined,
): Promise<KubeClient | 'unknown' | undefined> {
  const [uid, ...known] = await Promise.all([client, ...others].map((one) => uidOf(one, signal)));
  if (uid === undefined) return 'unknown';
  return others.find((_, index) => known[index] === uid);
}

/** Undefined when the credentials may not read it: the check of permissions reports that. */
async function uidOf(client: KubeClient, signal: AbortSignal | undefined): Promise<string | undefined> {
  try {
    return text(await client.get(kubeSystem, signal), 'metadata', 'uid');
  } catch (error) {
    if (error instanceof KubeError && error.status === 403) return undefined;
    throw error;
  }
}
