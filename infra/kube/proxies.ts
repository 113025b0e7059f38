import { defaultRevision, revisionLabel } from '../../charts/model/labels.ts';
import type { KubeClient } from './kube-client.ts';
import { list, text } from './kube-object.ts';
import type { KubeObject } from './kube-object.ts';

/** A pod with an injected proxy, which stays connected to its control plane for its whole life. */
export interface Proxy {
  readonly pod: KubeObject;
  /** Revision of its control plane; `default` for the control plane without one. */
  readonly revision: string;
}

/** The live pods with an injected proxy. The webhook that injected it recorded its revision on the pod. */
export async function listProxies(
  client: KubeClient,
  signal: AbortSignal | undefined,
): Promise<readonly Proxy[]> {
  const type = await client.typeOf('v1', 'Pod', signal);
  if (type === undefined) return [];
  // The injecting webhook adds this label to every pod with a proxy.
  const labelSelector = 'service.istio.io/canonical-name';
  const pods = await client.list(type, { labelSelector, ...(signal && { signal }) });
  return pods.flatMap((pod): Proxy[] => {
    const revision = pod.metadata.annotations?.[revisionLabel];
    return revision === undefined || !isLive(pod) ? [] : [{ pod, revision }];
  });
}

/** Whether a pod's proxy is a gateway: `Gateway` resources are for no others. */
export function isGateway(pod: KubeObject): boolean {
  return list(pod, 'spec', 'containers').some((container) => list(container, 'args').includes('router'));
}

/** The revisions of rendered IstioOperators. */
export function revisionsOf(releases: readonly KubeObject[]): readonly string[] {
  return releases.map((release) => text(release, 'spec', 'revision') ?? defaultRevision);
}

/** Whether a pod has Istio's proxy, injected or as a gateway's own container; before its app where the cluster starts sidecars so. */
export function hasProxy(pod: KubeObject): boolean {
  return [...list(pod, 'spec', 'containers'), ...list(pod, 'spec', 'initContainers')].some(
    (container) => text(container, 'name') === 'istio-proxy',
  );
}

/** Whether the pod runs or will run: a pod that is being deleted only drains. */
export function isLive(pod: KubeObject): boolean {
  const ended = ['Succeeded', 'Failed'].includes(text(pod, 'status', 'phase') ?? '');
  return !ended && text(pod, 'metadata', 'deletionTimestamp') === undefined;
}

/** Whether a Job owns the pod, so that it ends by itself. */
export function isOfJob(pod: KubeObject): boolean {
  return list(pod, 'metadata', 'ownerReferences').some((owner) => text(owner, 'kind') === 'Job');
}
