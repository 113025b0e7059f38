import type { Problem } from '../../core/problem.ts';
import type { KubeClient } from '../kube/kube-client.ts';
import { describe, field, isManaged } from '../kube/kube-object.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import type { Plan } from '../plan/plan.ts';
import { isOfJob, listProxies, revisionsOf } from '../kube/proxies.ts';
import { selects } from '../kube/webhooks.ts';

/**
 * Pods that would lose their control plane: their proxies were injected by one that is no longer declared, and nothing in
 * the plan replaces them. Their certificates would expire, and they would receive no more configuration.
 */
export async function findStranded(
  client: KubeClient,
  plan: Plan,
  signal: AbortSignal | undefined,
): Promise<readonly Problem[]> {
  const { cluster } = client;
  const steps = plan.steps.filter((step) => step.cluster === cluster);
  const declared = revisionsOf(steps.flatMap(({ releases }) => releases));
  const planned = steps.flatMap(({ objects }) => objects);
  if (declared.length === 0) return [];
  const stranded = (await listProxies(client, signal)).filter(
    ({ pod, revision }) =>
      !declared.includes(revision) &&
      !isManaged(pod, plan.mesh) &&
      !isOfJob(pod) &&
      !planned.some((object) => makes(object, pod)),
  );
  return stranded.map(({ pod, revision }) => ({
    where: `${cluster}: ${describe(pod)}`,
    what: 'its proxy was injected by a control plane that is no longer declared, and no declared workload replaces this pod',
    received: revision,
    allowed: declared.join(', '),
    fix: 'move its namespace to a declared control plane, restart or delete the pod, then remove the old control plane',
  }));
}

function makes(object: KubeObject, pod: KubeObject): boolean {
  const selector = field(object, 'spec', 'selector');
  return (
    ['Deployment', 'StatefulSet', 'DaemonSet'].includes(object.kind) &&
    object.metadata.namespace === pod.metadata.namespace &&
    selects(selector, pod.metadata.labels ?? {})
  );
}
