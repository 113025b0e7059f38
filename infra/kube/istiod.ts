import type { KubeClient } from './kube-client.ts';
import { condition, field, text } from './kube-object.ts';
import { execInPod } from './pod-exec.ts';

/** Of istiod's pods. */
export const istiodContainer = 'discovery';

/** What an istiod answers on its debug port, 15014: `/debug/clusterz`, `/metrics`. */
export function askIstiod(
  client: KubeClient,
  namespace: string,
  pod: string,
  path: string,
  signal: AbortSignal | undefined,
): Promise<string> {
  const command = ['pilot-discovery', 'request', 'GET', path];
  return execInPod(client, { namespace, pod, name: istiodContainer }, command, signal);
}

/** The pods of a cluster's istiods that are ready, of any revision. */
export async function readyIstiods(
  client: KubeClient,
  namespace: string,
  signal: AbortSignal | undefined,
): Promise<readonly string[]> {
  const type = await client.typeOf('v1', 'Pod', signal);
  if (type === undefined) return [];
  const pods = await client.list(type, { namespace, labelSelector: 'app=istiod', ...(signal && { signal }) });
  return pods
    .filter((pod) => field(pod, 'metadata', 'deletionTimestamp') === undefined)
    .filter((pod) => text(condition(pod, 'Ready'), 'status') === 'True')
    .map(({ metadata }) => metadata.name)
    .sort();
}
