import { defaultRevision, revisionLabel } from '../../charts/model/labels.ts';
import type { KubeClient } from './kube-client.ts';
import { list, text } from './kube-object.ts';
import type { KubeObject } from './kube-object.ts';

/** Whom a control plane gave proxies, which connect to it for as long as they live. */
export interface Proxy {
  readonly pod: KubeObject;
  /** Of the control plane; `default` for the one without a revision. */
  readonly revision: string;
}

/** The live pods that have a proxy. Which control plane it is from, the webhook that added it wrote on the pod. */
export async function listProxies(
  client: KubeClient,
  signal: AbortSignal | undefined,
): Promise<readonly Proxy[]> {
  const type = await client.typeOf('v1', 'Pod', signal);
  if (type === undefined) return [];
  // A label that every proxy's pod gets from the same webhook.
  const labelSelector = 'service.istio.io/canonical-name';
  const pods = await client.list(type, { labelSelector, ...(signal && { signal }) });
  return pods.flatMap((pod): Proxy[] => {
    const revision = pod.metadata.annotations?.[revisionLabel];
    return revision === undefined || !isLive(pod) ? [] : [{ pod, revision }];
  });
}

/** The revisions of rendered IstioOperators. */
export function revisionsOf(releases: readonly KubeObject[]): readonly string[] {
  return releases.map((release) => text(release, 'spec', 'revision') ?? defaultRevision);
}

/** Whether it runs, or will: one that is being deleted only drains. */
function isLive(pod: KubeObject): boolean {
  const ended = ['Succeeded', 'Failed'].includes(text(pod, 'status', 'phase') ?? '');
  return !ended && text(pod, 'metadata', 'deletionTimestamp') === undefined;
}

/** Whether a Job runs it, which ends by itself. */
export function isOfJob(pod: KubeObject): boolean {
  return list(pod, 'metadata', 'ownerReferences').some((owner) => text(owner, 'kind') === 'Job');
}
