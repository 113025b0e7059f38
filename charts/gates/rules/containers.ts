import { field, list, text } from '../../model/rendered.ts';
import type { KubernetesObject } from '../../model/mesh-model.ts';

/** The pod, or the pod template of whatever has one; a CronJob has it one level deeper. */
export function podOf(object: KubernetesObject): unknown {
  if (object.kind === 'Pod') return object;
  if (object.kind === 'CronJob') return field(object, 'spec', 'jobTemplate', 'spec', 'template');
  return field(object, 'spec', 'template');
}

/** A pod, or the template of pods, in an object. */
export interface PodIn {
  /** Where it stands: `spec.replicatedJobs[0].template.spec.template`; empty where every object of the kind has its only one. */
  readonly at: string;
  readonly pod: unknown;
}

/** Kinds of Kubernetes' own that make pods, those without containers too. */
const usualMakers = [
  ...['Pod', 'Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet', 'ReplicationController'],
  ...['Job', 'CronJob'],
];

const known = new WeakMap<KubernetesObject, readonly PodIn[]>();

/**
 * Every pod, and template of pods, in an object. Custom resources have theirs wherever their controllers look for them: what has containers
 * in its `spec` is one.
 */
export function podsIn(object: KubernetesObject): readonly PodIn[] {
  const before = known.get(object);
  if (before !== undefined) return before;
  const usual = podOf(object);
  const isCustom = !usualMakers.includes(object.kind);
  const all = makers(object, '', isCustom).map(({ at, pod }) => ({
    at: pod === usual || at === '' ? '' : at,
    pod,
  }));
  const isEmpty = all.length === 0 && usual !== undefined && usualMakers.includes(object.kind);
  const found = isEmpty ? [{ at: '', pod: usual }] : all;
  known.set(object, found);
  return found;
}

/**
 * The pods in a value. What stands at the root of a custom resource may be parts that its controller merges with containers of its own, as Prometheus' does: they
 * are containers if each has an image.
 */
function makers(value: unknown, at: string, isRoot = false): readonly PodIn[] {
  if (typeof value !== 'object' || value === null) return [];
  const containers = ['containers', 'initContainers'].flatMap((key) => list(value, 'spec', key));
  const isPod =
    containers.length > 0 && (!isRoot || containers.every((one) => text(one, 'image') !== undefined));
  if (isPod) return [{ at, pod: value }];
  const isList = Array.isArray(value);
  return Object.entries(value).flatMap(([key, inner]) =>
    makers(inner, isList ? `${at}[${key}]` : at === '' ? key : `${at}.${key}`),
  );
}

/** What is found in each pod of an object, with the place of one that stands elsewhere than usual. */
export function ofEachPod<F extends { readonly what: string }>(
  object: KubernetesObject,
  find: (pod: unknown) => readonly F[],
): readonly F[] {
  return podsIn(object).flatMap(({ at, pod }) =>
    find(pod).map((found) => (at === '' ? found : { ...found, what: `${at}: ${found.what}` })),
  );
}

/** The containers of a pod, those before it starts among them, each with its place. */
export function containersOf(pod: unknown): readonly (readonly [where: string, container: unknown])[] {
  return ['initContainers', 'containers'].flatMap((key) =>
    list(pod, 'spec', key).map(
      (container) => [`${key}[${text(container, 'name') ?? ''}]`, container] as const,
    ),
  );
}
