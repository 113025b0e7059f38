import type { KubeClient } from '../kube/kube-client.ts';
import { describe, list, manager, text } from '../kube/kube-object.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import { deleteObjects, listManaged, removalOrder } from '../kube/managed.ts';
import type { Plan } from '../plan/plan.ts';

/**
 * Deletes what an earlier apply made in a cluster and this one no longer declares. Definitions of custom resources and
 * namespaces stay, as others' objects would go with them: they are only told.
 * @param applied - all that was applied to the cluster this time.
 * @returns how many objects were deleted.
 * @throws ProblemsError (exit 1) for a refused deletion, or an object that does not go away in time.
 */
export async function prune(
  client: KubeClient,
  plan: Plan,
  applied: readonly KubeObject[],
  report: (line: string) => void,
  signal: AbortSignal | undefined,
): Promise<number> {
  const declared = new Set(applied.map(key));
  const types = await client.sweepableTypes(signal);
  const surplus = (await listManaged(client, types, plan.mesh, signal)).filter(
    (object) => isApplied(object) && !declared.has(key(object)),
  );
  for (const object of surplus.filter(isKept))
    report(`${client.cluster}: ${describe(object)} is no longer declared and is left: delete it by hand`);
  let deleted = 0;
  const gone = surplus.filter((object) => !isKept(object));
  for (const group of removalOrder(gone, plan.controlPlaneNamespace)) {
    deleted += await deleteObjects(client, group, signal);
    for (const object of group) report(`${client.cluster}: deleted ${describe(object)}`);
  }
  return deleted;
}

function isKept({ kind }: KubeObject): boolean {
  return kind === 'CustomResourceDefinition' || kind === 'Namespace';
}

/**
 * Whether our server-side apply wrote the object. Controllers copy labels onto what they make (the EndpointSlices of
 * a Service), never field managers.
 */
function isApplied(object: KubeObject): boolean {
  return list(object, 'metadata', 'managedFields').some(
    (entry) => text(entry, 'manager') === manager && text(entry, 'operation') === 'Apply',
  );
}

/** Without the version: an object is listed in the preferred one, whichever it was applied in. */
function key(object: KubeObject): string {
  const group = object.apiVersion.includes('/') ? object.apiVersion.split('/')[0] : '';
  return `${group} ${describe(object)}`;
}
