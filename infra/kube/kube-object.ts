import { own } from '../../core/own.ts';
import { managedByLabel, manager, partOfLabel } from '../../charts/model/labels.ts';
import type { KubernetesObject } from '../../charts/model/mesh-model.ts';

export { managedByLabel, manager, partOfLabel };

/** A rendered, planned, applied or live object of any kind: it has a type and a name. */
export type KubeObject = KubernetesObject;

/** Kind, namespace and name, for messages and as a key: `Deployment shop/catalog`, `ClusterRole istiod`. */
export function describe(object: KubeObject): string {
  const { namespace, name } = object.metadata;
  return `${object.kind} ${namespace === undefined ? name : `${namespace}/${name}`}`;
}

/** The group, and what {@link describe} gives: an object is listed in the preferred version, whichever it was applied in. */
export function keyOf(object: KubeObject): string {
  const group = object.apiVersion.includes('/') ? object.apiVersion.split('/')[0] : '';
  return `${group} ${describe(object)}`;
}

/**
 * The object with the labels of objects that meshwright manages in this mesh. The pod template keeps its labels, because
 * selectors and proxies read those.
 */
export function labelManaged(object: KubeObject, mesh: string): KubeObject {
  const labels = { ...object.metadata.labels, ...managedLabels(mesh) };
  return { ...object, metadata: { ...object.metadata, labels } };
}

/** The labels of objects that meshwright manages in this mesh. */
export function managedLabels(mesh: string): Readonly<Record<string, string>> {
  return { [managedByLabel]: manager, [partOfLabel]: mesh };
}

/** Whether the object has the labels of this mesh, so that `down` may delete it and `up` may replace it. */
export function isManaged(object: KubeObject, mesh: string): boolean {
  const { labels = {} } = object.metadata;
  return labels[managedByLabel] === manager && labels[partOfLabel] === mesh;
}

/** A nested field of unknown shape, or undefined where the path ends early. */
export function field(value: unknown, ...path: readonly string[]): unknown {
  let current = value;
  for (const key of path) {
    if (typeof current !== 'object' || current === null) return undefined;
    current = own(current as Readonly<Record<string, unknown>>, key);
  }
  return current;
}

/** A nested field that is a list; empty when it is missing or something else. */
export function list(value: unknown, ...path: readonly string[]): readonly unknown[] {
  const found = field(value, ...path);
  return Array.isArray(found) ? found : [];
}

/** A nested field that is a string, or undefined. */
export function text(value: unknown, ...path: readonly string[]): string | undefined {
  const found = field(value, ...path);
  return typeof found === 'string' ? found : undefined;
}

/** A nested field that is a number; 0 when it is missing, as the API leaves zeros out. */
export function count(value: unknown, ...path: readonly string[]): number {
  const found = field(value, ...path);
  return typeof found === 'number' ? found : 0;
}

/** A condition of an object's status by type. */
export function condition(object: KubeObject, type: string): unknown {
  return list(object, 'status', 'conditions').find((entry) => text(entry, 'type') === type);
}
