import type { KubeClient } from '../kube/kube-client.ts';
import { describe, keyOf } from '../kube/kube-object.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import { deleteObjects, describeTypes, removalOrder } from '../kube/managed.ts';
import { isApplied, isWritten, ownNamespaces } from '../kube/ownership.ts';
import { isVolume, removalOf, tellClaims } from './kept-claims.ts';
import type { Plan } from '../plan/plan.ts';
import type { Snapshot } from './snapshot.ts';

/**
 * Deletes what an earlier apply made in a cluster and this one no longer declares. Definitions of custom resources and
 * namespaces stay, as others' objects would go with them: they are only told. Claims and volumes stay, with their data. So is what is outside of namespaces on an Istio of others,
 * where nothing tells it from that of another mesh of the name.
 * @param before - what the cluster held before this apply.
 * @param applied - all that was applied to the cluster this time.
 * @returns how many objects were deleted.
 * @throws ProblemsError (exit 1) for a refused deletion, or an object that does not go away in time.
 */
export async function prune(
  client: KubeClient,
  plan: Plan,
  before: Snapshot,
  applied: readonly KubeObject[],
  report: (line: string) => void,
  signal: AbortSignal | undefined,
): Promise<number> {
  const surplus = surplusOf(before, applied);
  if (before.unlisted.length > 0)
    report(
      `${client.cluster}: objects of kinds that these credentials may not list were not looked for: ${describeTypes(before.unlisted)}`,
    );
  const shared = plan.existing?.sharedNamespaces ?? [];
  const isShared = ({ kind, metadata }: KubeObject) => kind === 'Namespace' && shared.includes(metadata.name);
  const isKept = keptOn(plan);
  for (const object of surplus.filter((one) => isKept(one) && !isShared(one))) {
    report(
      `${client.cluster}: ${describe(object)} is no longer declared and is left${endOf(client, object)}`,
    );
  }
  let deleted = 0;
  const gone = surplus.filter((object) => !isKept(object));
  for (const group of removalOrder(gone, plan.controlPlaneNamespace)) {
    const removed = await deleteObjects(client, group, signal);
    deleted += removed.length;
    for (const object of removed) report(`${client.cluster}: deleted ${describe(object)}`);
    await tellClaims(client, removed, report, signal);
  }
  return deleted;
}

/** How what is left goes. */
function endOf(client: KubeClient, object: KubeObject): string {
  if (isVolume(object))
    return `, with its data; to delete it and the data for good: ${removalOf(client, object)}`;
  return keptKinds.includes(object.kind)
    ? ': delete it by hand'
    : ': `down` deletes it, or delete it by hand';
}

/** What an earlier apply made in a cluster that is not declared now. A backup may be restored into a namespace of others. */
function surplusOf(before: Snapshot, declared: readonly KubeObject[]): readonly KubeObject[] {
  const keys = new Set(declared.map(keyOf));
  // A declared namespace that was restored from a backup has its mark until it is applied.
  const own = [...ownNamespaces(before.objects), ...namesOfNamespaces(declared)];
  return before.objects.filter(
    (object) =>
      isApplied(object) &&
      (own.includes(object.metadata.namespace ?? '') || isWritten(object)) &&
      !keys.has(keyOf(object)),
  );
}

function namesOfNamespaces(objects: readonly KubeObject[]): readonly string[] {
  return objects.filter(({ kind }) => kind === 'Namespace').map(({ metadata }) => metadata.name);
}

/** Whether {@link prune} will delete something, when this is all that is declared in the cluster. */
export function willDelete(
  plan: Pick<Plan, 'existing'>,
  before: Snapshot,
  declared: readonly KubeObject[],
): boolean {
  return !surplusOf(before, declared).every(keptOn(plan));
}

const keptKinds: readonly string[] = ['CustomResourceDefinition', 'Namespace'];

function keptOn({ existing }: Pick<Plan, 'existing'>): (object: KubeObject) => boolean {
  return (object) =>
    keptKinds.includes(object.kind) ||
    isVolume(object) ||
    (existing !== undefined && object.metadata.namespace === undefined);
}
