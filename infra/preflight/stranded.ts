import type { Problem } from '../../core/problem.ts';
import type { KubeClient } from '../kube/kube-client.ts';
import { describe, field, isManaged } from '../kube/kube-object.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import type { Plan } from '../plan/plan.ts';
import { isOfJob, listProxies, revisionsOf } from '../kube/proxies.ts';
import { selects } from '../kube/webhooks.ts';

/**
 * Pods that would lose their control plane: their proxies are from one that is no longer declared, and nothing in
 * the plan makes them anew. Their certificates would run out, and they would learn of no change any more.
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
    what: 'has its proxy from a control plane that is no longer declared, and nothing declared makes it anew',
    received: revision,
    allowed: declared.join(', '),
    fix: 'restart or delete it once its namespace uses another one, and remove the control plane after that',
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
