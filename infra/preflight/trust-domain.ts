import { parse } from 'yaml';
import { revisionLabel } from '../../charts/model/labels.ts';
import type { Problem } from '../../core/problem.ts';
import type { KubeClient } from '../kube/kube-client.ts';
import { describe, isManaged, text } from '../kube/kube-object.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import type { Plan } from '../plan/plan.ts';

/** Istio's own default (`meshConfig.trustDomain`). */
const defaultTrustDomain = 'cluster.local';

/** Other meshes in a cluster with the trust domain of this mesh: the identities of both would be the same. */
export async function sharedTrustDomains(
  client: KubeClient,
  plan: Plan,
  signal: AbortSignal | undefined,
): Promise<readonly Problem[]> {
  const type = await client.typeOf('v1', 'ConfigMap', signal);
  if (type === undefined) return [];
  // Every istiod, of any revision, reads its mesh configuration from a ConfigMap with this label.
  const found = await client.list(type, { labelSelector: revisionLabel, ...(signal && { signal }) });
  return found
    .filter((config) => !isManaged(config, plan.mesh) && trustDomainOf(config) === plan.trustDomain)
    .map((config) => ({
      where: `${client.cluster}: ${describe(config)}`,
      what: 'another mesh uses the trust domain of this mesh, so workloads of both would have the same identities',
      received: plan.trustDomain,
      fix: 'declare another trust domain, or take that mesh down',
    }));
}

/** The trust domain in a mesh configuration; undefined where it cannot be read. */
export function trustDomainOf(config: KubeObject): string | undefined {
  const mesh = text(config, 'data', 'mesh');
  if (mesh === undefined) return undefined;
  try {
    return text(parse(mesh), 'trustDomain') ?? defaultTrustDomain;
  } catch {
    return undefined;
  }
}
