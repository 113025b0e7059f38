import { field, list, text } from '../../model/rendered.ts';
import type { KubernetesObject } from '../../model/mesh-model.ts';

/** The pod, or the pod template of whatever has one; a CronJob has it one level deeper. */
export function podOf(object: KubernetesObject): unknown {
  if (object.kind === 'Pod') return object;
  if (object.kind === 'CronJob') return field(object, 'spec', 'jobTemplate', 'spec', 'template');
  return field(object, 'spec', 'template');
}

/** The containers of a pod, those before it starts among them, each with its place. */
export function containersOf(pod: unknown): readonly (readonly [where: string, container: unknown])[] {
  return ['initContainers', 'containers'].flatMap((key) =>
    list(pod, 'spec', key).map(
      (container) => [`${key}[${text(container, 'name') ?? ''}]`, container] as const,
    ),
  );
}
