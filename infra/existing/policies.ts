import type { ExistingIstioModel } from '../../charts/model/mesh-model.ts';
import type { KubeClient } from '../kube/kube-client.ts';
import { describe, field, isManaged, text } from '../kube/kube-object.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import { selects } from '../kube/webhooks.ts';
import type { Plan } from '../plan/plan.ts';
import { listKind } from './list-kind.ts';

/**
 * Policies of others that reach pods of the mesh: Istio adds those of the root namespace and of a pod's own to what the mesh declares.
 * A line for each, with what it does.
 */
export async function policyWarnings(
  client: KubeClient,
  plan: Plan,
  { rootNamespace, sharedNamespaces }: ExistingIstioModel,
  signal: AbortSignal | undefined,
): Promise<readonly string[]> {
  const pods = podsOf(client.cluster, plan);
  const found = await Promise.all(
    [rootNamespace, ...sharedNamespaces].flatMap((namespace) =>
      (['AuthorizationPolicy', 'PeerAuthentication'] as const).map((kind) =>
        listKind(client, ['security.istio.io/v1', kind], { namespace }, signal),
      ),
    ),
  );
  return found
    .flat()
    .filter((policy) => !isManaged(policy, plan.mesh))
    .flatMap((policy) => {
      const effect = effectOf(policy);
      const covered = pods.filter((pod) => covers(policy, pod, rootNamespace));
      if (effect === undefined || covered.length === 0) return [];
      const some = covered
        .slice(0, 3)
        .map(({ name }) => name)
        .join(', ');
      const more = covered.length > 3 ? ` and ${covered.length - 3} more` : '';
      return [`cluster ${client.cluster}: ${describe(policy)} of others ${effect}: ${some}${more}`];
    });
}

interface Pods {
  /** `namespace/workload` */
  readonly name: string;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
}

function podsOf(cluster: string, plan: Plan): readonly Pods[] {
  return plan.steps
    .filter((step) => step.cluster === cluster)
    .flatMap(({ objects }) => objects)
    .filter(({ kind }) => ['Deployment', 'StatefulSet'].includes(kind))
    .map((deployment) => {
      const { namespace = '', name } = deployment.metadata;
      const labels = (field(deployment, 'spec', 'template', 'metadata', 'labels') ?? {}) as Pods['labels'];
      return { name: `${namespace}/${name}`, namespace, labels };
    });
}

function covers(policy: KubeObject, { namespace, labels }: Pods, rootNamespace: string): boolean {
  const { namespace: own } = policy.metadata;
  if (own !== rootNamespace && own !== namespace) return false;
  // One of a gateway or a Service, which `targetRefs` names, is not of these pods.
  if (field(policy, 'spec', 'targetRefs') !== undefined || field(policy, 'spec', 'targetRef') !== undefined)
    return false;
  return selects({ matchLabels: field(policy, 'spec', 'selector', 'matchLabels') ?? {} }, labels);
}

/** What a policy does to the pods that it covers, beyond what the mesh declares; undefined for nothing. */
function effectOf(policy: KubeObject): string | undefined {
  if (policy.kind === 'PeerAuthentication') {
    const mode = text(policy, 'spec', 'mtls', 'mode');
    // Of the root namespace, and those without a selector, yield to the mesh's own, which select workloads.
    const yields = field(policy, 'spec', 'selector') === undefined;
    return (mode === 'DISABLE' || mode === 'PERMISSIVE') && !yields
      ? `lets in callers without mutual TLS (${mode}) wherever it is older than the mesh's own, as Istio heeds the oldest`
      : undefined;
  }
  switch (text(policy, 'spec', 'action') ?? 'ALLOW') {
    case 'DENY':
      return 'may refuse calls that the mesh declares';
    case 'CUSTOM':
      return 'has an authorizer of others decide calls that the mesh declares';
    case 'ALLOW':
      // One without a rule allows nothing, and takes nothing away from the mesh's own.
      return field(policy, 'spec', 'rules') === undefined
        ? undefined
        : 'lets in calls that the mesh does not declare';
    default:
      return undefined;
  }
}
