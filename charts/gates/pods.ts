import { field, list, mapping, ofKind, text } from '../model/rendered.ts';
import type { RenderedCluster, RenderedObject } from '../model/rendered.ts';

/** A workload's pods: where they run, their labels, and their containers. */
export interface Pods {
  readonly of: RenderedObject;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly containers: readonly unknown[];
}

/** The pods of a cluster, grouped by the object that creates them. */
export function podsOf(cluster: RenderedCluster): readonly Pods[] {
  const direct = ofKind(cluster, 'Pod').map((of) => podsFrom(of, of.object));
  const templated = ofKind(cluster, 'Deployment', 'StatefulSet', 'DaemonSet', 'Job', 'CronJob').map((of) =>
    podsFrom(of, podTemplate(of.object)),
  );
  return [...templated, ...direct];
}

/** The pod template of an object that makes pods, a CronJob's one level deeper; undefined where it has none. */
export function podTemplate(object: RenderedObject['object']): unknown {
  if (object.kind === 'CronJob') return field(object, 'spec', 'jobTemplate', 'spec', 'template');
  return field(object, 'spec', 'template');
}

function podsFrom(of: RenderedObject, template: unknown): Pods {
  return {
    of,
    namespace: of.object.metadata.namespace ?? '',
    labels: mapping(template, 'metadata', 'labels'),
    containers: [...list(template, 'spec', 'initContainers'), ...list(template, 'spec', 'containers')],
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
