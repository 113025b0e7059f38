import { list, mapping, text } from '../model/rendered.ts';
import type { RenderedCluster, RenderedObject } from '../model/rendered.ts';
import { containersOf, podsIn } from './rules/containers.ts';

/** A workload's pods: where they run, their labels, and their containers. */
export interface Pods {
  readonly of: RenderedObject;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  /** As the object that makes them says what they are. */
  readonly pod: unknown;
  readonly containers: readonly unknown[];
}

const found = new WeakMap<RenderedCluster, readonly Pods[]>();

/** The pods of a cluster, grouped by the object that creates them, whatever kind that is of. */
export function podsOf(cluster: RenderedCluster): readonly Pods[] {
  const before = found.get(cluster);
  if (before !== undefined) return before;
  const pods = cluster.objects.flatMap((of) => podsIn(of.object).map(({ pod }) => podsFrom(of, pod)));
  found.set(cluster, pods);
  return pods;
}

function podsFrom(of: RenderedObject, pod: unknown): Pods {
  return {
    of,
    pod,
    namespace: of.object.metadata.namespace ?? '',
    labels: mapping(pod, 'metadata', 'labels'),
    containers: containersOf(pod).map(([, container]) => container),
  };
}

/** Whether labels match a selector. */
export function selects(
  selector: Readonly<Record<string, string>>,
  labels: Readonly<Record<string, string>>,
): boolean {
  return Object.entries(selector).every(([key, value]) => labels[key] === value);
}

/** A plain environment value of a container; a value from a Secret or ConfigMap is not one. */
export interface EnvValue {
  readonly container: string;
  readonly name: string;
  readonly value: string;
}

/** The plain values in the environment of the pods' containers. */
export function envOf({ containers }: Pods): readonly EnvValue[] {
  return containers.flatMap((container) =>
    list(container, 'env').flatMap((entry) => {
      const [name, value] = [text(entry, 'name'), text(entry, 'value')];
      if (name === undefined || value === undefined) return [];
      return [{ container: text(container, 'name') ?? '', name, value }];
    }),
  );
}
