import { getsProxy } from '../../charts/gates/istio/injection.ts';
import { podOf } from '../../charts/gates/rules/containers.ts';
import { ProblemsError } from '../../core/problem.ts';
import type { Problem } from '../../core/problem.ts';
import { kubectlCommand } from '../kube/kubectl.ts';
import type { KubeClient } from '../kube/kube-client.ts';
import { describe, field } from '../kube/kube-object.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import { hasProxy, isLive } from '../kube/proxies.ts';
import type { Plan, PlanStep } from '../plan/plan.ts';

/**
 * Looks for pods of a step's workloads that run without the proxy that their labels and their namespace's ask for. The webhook that
 * adds it may be passed over (`failurePolicy: Ignore`) or leave them alone by a setting of its own; such a pod gets ready as well,
 * and calls of others reach it, in plaintext.
 * @throws ProblemsError (exit 1) with each workload and its pods.
 */
export async function refuseUnproxied(
  client: KubeClient,
  step: PlanStep,
  plan: Plan,
  signal: AbortSignal | undefined,
): Promise<void> {
  const namespacesOfMesh = plan.steps
    .filter(({ cluster }) => cluster === step.cluster)
    .flatMap(({ objects }) => objects)
    .filter(({ kind }) => kind === 'Namespace');
  const expected = step.objects.filter((object) => wantsProxy(object, namespacesOfMesh));
  if (expected.length === 0) return;
  const type = await client.typeOf('v1', 'Pod', signal);
  if (type === undefined) return;
  const namespaces = [...new Set(expected.map(({ metadata }) => metadata.namespace))];
  const lists = await Promise.all(
    namespaces.map((namespace = 'default') => client.list(type, { namespace, ...(signal && { signal }) })),
  );
  const open = lists.flat().filter((pod) => isLive(pod) && !hasProxy(pod));
  const problems = expected.flatMap((object): readonly Problem[] => {
    const pods = open.filter((pod) => isMadeBy(object, pod));
    return pods.length === 0 ? [] : [problemOf(client, object, pods, plan)];
  });
  if (problems.length > 0) throw new ProblemsError(problems, 1);
}

/** Whether Istio gives a proxy to the pods that an object makes, by all that the declaration says. */
function wantsProxy(object: KubeObject, namespaces: readonly KubeObject[]): boolean {
  const pod = podOf(object);
  // Istio passes by pods in the network of their node, which the gates refuse unless a reason is given.
  if (field(pod, 'spec') === undefined || field(pod, 'spec', 'hostNetwork') === true) return false;
  const home = namespaces.find(({ metadata }) => metadata.name === object.metadata.namespace);
  return getsProxy(home?.metadata.labels ?? {}, pod);
}

/** By the labels of its template, which its selector is a part of; a pod of its own by its name. */
function isMadeBy(object: KubeObject, { metadata }: KubeObject): boolean {
  if (metadata.namespace !== object.metadata.namespace) return false;
  if (object.kind === 'Pod') return metadata.name === object.metadata.name;
  const selector =
    field(object, 'spec', 'selector', 'matchLabels') ?? field(podOf(object), 'metadata', 'labels');
  const wanted = Object.entries((selector ?? {}) as Readonly<Record<string, string>>);
  return wanted.length > 0 && wanted.every(([key, value]) => metadata.labels?.[key] === value);
}

function problemOf(
  client: KubeClient,
  object: KubeObject,
  pods: readonly KubeObject[],
  { existing }: Plan,
): Problem {
  const { namespace = 'default', name } = object.metadata;
  const names = pods.map((pod) => pod.metadata.name).sort();
  const restart = ['Deployment', 'StatefulSet', 'DaemonSet'].includes(object.kind)
    ? ['rollout', 'restart', object.kind.toLowerCase(), name]
    : ['delete', 'pod', ...names];
  const webhooks = kubectlCommand(client, 'get', 'mutatingwebhookconfigurations', '--output', 'yaml');
  return {
    where: `${client.cluster}: ${describe(object)}`,
    what: 'has pods without a proxy: they answer anybody in plaintext, and no policy holds for them',
    received: names.join(', '),
    fix: `${existing === undefined ? 'look' : 'have the owners of Istio look'} why its injector passed them by (${webhooks}), then have them made anew: ${kubectlCommand(client, '--namespace', namespace, ...restart)}`,
  };
}
