import { isManaged, list, managedByLabel, manager, partOfLabel, text } from './kube-object.ts';
import type { KubeObject } from './kube-object.ts';

/**
 * Whether our server-side apply wrote the object. Controllers, and people who copy an object, copy its labels, never its field
 * managers.
 */
export function isApplied(object: KubeObject): boolean {
  return list(object, 'metadata', 'managedFields').some(
    (entry) => text(entry, 'manager') === manager && text(entry, 'operation') === 'Apply',
  );
}

/** The managers of Pulumi's provider: `pulumi-kubernetes-d3b07384` with server-side apply, `pulumi-resource-kubernetes` without. */
const byPulumi = /^pulumi-(?:resource-)?kubernetes(?:-|$)/;

/** Velero's mark on what it restored (https://velero.io/docs/main/restore-reference/): it copies field managers, too. */
export const restoredLabel = 'velero.io/restore-name';

/** Whether it was restored from a backup, and no `up` has come by it since. */
export function isRestored({ metadata }: KubeObject): boolean {
  return metadata.labels?.[restoredLabel] !== undefined;
}

/** Whether either engine wrote the object, where it is, and nobody restored it there from a backup. */
export function isWritten(object: KubeObject): boolean {
  if (isRestored(object)) return false;
  return (
    isApplied(object) ||
    list(object, 'metadata', 'managedFields').some((entry) => byPulumi.test(text(entry, 'manager') ?? ''))
  );
}

/** The name of another mesh that the object belongs to. */
export function otherMesh({ metadata: { labels = {} } }: KubeObject, mesh: string): string | undefined {
  const other = labels[managedByLabel] === manager ? labels[partOfLabel] : undefined;
  return other === mesh ? undefined : other;
}

/** Whether a live object is not this mesh's to overwrite: it lacks the mesh's labels, and neither an apply of ours nor Kubernetes alone wrote it. */
export function isOfOthers(object: KubeObject, mesh: string): boolean {
  if (isManaged(object, mesh)) return false;
  return otherMesh(object, mesh) !== undefined || !(isApplied(object) || isUntouched(object));
}

/** Whether Kubernetes made the object with its namespace, and nobody wrote it since. */
function isUntouched(object: KubeObject): boolean {
  return (
    object.kind === 'ServiceAccount' &&
    object.metadata.name === 'default' &&
    list(object, 'metadata', 'managedFields').every(
      (entry) => text(entry, 'manager') === 'kube-controller-manager',
    )
  );
}

/** Of objects with the labels of a mesh, the namespaces that the mesh made or was given: all that has its labels there is its own. */
export function ownNamespaces(managed: readonly KubeObject[]): readonly string[] {
  return managed
    .filter((object) => object.kind === 'Namespace' && isWritten(object))
    .map(({ metadata }) => metadata.name);
}
