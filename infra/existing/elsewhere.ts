import type { Problem } from '../../core/problem.ts';
import type { KubeClient } from '../kube/kube-client.ts';
import { describe, field, managedLabels, partOfLabel } from '../kube/kube-object.ts';
import { isDerived } from '../kube/managed.ts';
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
 * Objects with the labels of this mesh in namespaces that it does not have: of another mesh of the same name. On an Istio of
 * others nothing else tells the two apart.
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
  const strange = lists
    .flat()
    .filter((object) => !isDerived(object) && field(object, 'metadata', 'deletionTimestamp') === undefined)
    .filter(({ metadata: { namespace = '' } }) => !own.includes(namespace));
  const byNamespace = Map.groupBy(strange, ({ metadata: { namespace = '' } }) => namespace);
  return [...byNamespace].map(([namespace, objects]) => {
    const more = objects.length - 3;
    const shown = objects.slice(0, 3).map(describe).join(', ');
    return {
      where: `${client.cluster}: Namespace ${namespace}`,
      what: `is not declared, and holds objects of a mesh that is named ${plan.mesh}, too: two meshes of one name would take each other's for their own`,
      received: `${shown}${more > 0 ? ` and ${more} more` : ''}`,
      fix: `if this is another mesh, rename one of the two; if it is left from an earlier declaration, delete it; if others copied these objects, have them remove the label ${partOfLabel}`,
    };
  });
}
