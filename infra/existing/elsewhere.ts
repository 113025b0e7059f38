import type { Problem } from '../../core/problem.ts';
import type { KubeClient } from '../kube/kube-client.ts';
import { describe, field, managedLabels, partOfLabel } from '../kube/kube-object.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import { isDerived } from '../kube/managed.ts';
import { isApplied } from '../kube/ownership.ts';
import type { Plan } from '../plan/plan.ts';
import { inQuery, listKind } from './list-kind.ts';
import { plannedNamespaces } from '../plan/reach.ts';

/** Kinds that every mesh on an Istio of others has in each of its namespaces. */
const telling = [
  ['apps/v1', 'Deployment'],
  ['security.istio.io/v1', 'AuthorizationPolicy'],
  ['v1', 'Service'],
] as const;

/**
 * What another mesh of the same name has in the cluster: objects with the labels of this one in namespaces that it does not have,
 * and in its own, workloads none of which it declares. On an Istio of others nothing else tells the two apart.
 * @param earlier - namespaces that earlier applies of this mesh wrote in
 */
export async function elsewhereProblems(
  client: KubeClient,
  plan: Plan,
  earlier: readonly string[],
  signal: AbortSignal | undefined,
): Promise<readonly Problem[]> {
  const labelSelector = inQuery(managedLabels(plan.mesh));
  const lists = await Promise.all(telling.map((kind) => listKind(client, kind, { labelSelector }, signal)));
  const own = [...plannedNamespaces(plan), ...earlier];
  const live = lists
    .flat()
    .filter((object) => !isDerived(object) && field(object, 'metadata', 'deletionTimestamp') === undefined);
  const strange = live.filter(({ metadata: { namespace = '' } }) => !own.includes(namespace));
  const byNamespace = Map.groupBy(strange, ({ metadata: { namespace = '' } }) => namespace);
  const elsewhere = [...byNamespace].map(([namespace, objects]) => ({
    where: `${client.cluster}: Namespace ${namespace}`,
    what: `is not declared, and holds objects of a mesh that is named ${plan.mesh}, too: two meshes of one name would take each other's for their own`,
    received: someOf(objects),
    fix: `if this is another mesh, rename one of the two; if it is left from an earlier declaration, delete it; if others copied these objects, have them remove the label ${partOfLabel}`,
  }));
  const unknown = live.filter(
    ({ metadata: { namespace = '' } }) => own.includes(namespace) && !earlier.includes(namespace),
  );
  return [...elsewhere, ...sameNamespaceProblems(client.cluster, plan, unknown)];
}

/**
 * Workloads with the labels of this mesh where no earlier apply of it is known to have written. A checkout that knows nothing of
 * earlier ones has to be able to go on with its mesh: as long as one workload is declared, these are taken for its own.
 */
function sameNamespaceProblems(cluster: string, plan: Plan, live: readonly KubeObject[]): readonly Problem[] {
  const shared = plan.existing?.sharedNamespaces ?? [];
  const workloads = live
    .filter(({ kind }) => kind === 'Deployment')
    // Others there may have copied one with its labels: nothing of the mesh deletes that.
    .filter((one) => !shared.includes(one.metadata.namespace ?? '') || isApplied(one))
    .toSorted((a, b) => (describe(a) < describe(b) ? -1 : 1));
  const declared = new Set(
    plan.steps.flatMap(({ objects }) => objects.filter(({ kind }) => kind === 'Deployment').map(describe)),
  );
  if (workloads.length === 0 || workloads.some((one) => declared.has(describe(one)))) return [];
  return [
    {
      where: `${cluster}: mesh ${plan.mesh}`,
      what: 'runs already in namespaces that are declared, with none of the workloads that are declared, and no earlier up of this checkout wrote there: if it is another mesh of this name, up would delete it',
      received: someOf(workloads),
      fix: 'rename one of the two, or declare other namespaces; if it is the same mesh, delete these workloads first',
    },
  ];
}

function someOf(objects: readonly KubeObject[]): string {
  const more = objects.length - 3;
  const shown = objects.slice(0, 3).map(describe).join(', ');
  return `${shown}${more > 0 ? ` and ${more} more` : ''}`;
}
