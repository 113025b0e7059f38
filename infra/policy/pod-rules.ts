import { revisionLabel } from '../../charts/model/labels.ts';
import { field, list, text } from '../kube/kube-object.ts';
import type { KubeObject } from '../kube/kube-object.ts';

/** Tags whose content changes: words, and versions that are moved to the newest patch. */
const movingTag = /^([a-z_-]+|v?\d+(\.\d+)?)$/i;
const digest = /@sha256:[0-9a-f]{64}$/;

/** Containers whose image reference may resolve to another image later. */
export function unpinned(object: KubeObject): readonly string[] {
  const template = podOf(object);
  return containersOf(template).flatMap(([where, container]) => {
    const image = text(container, 'image') ?? '';
    if (digest.test(image) || (image === 'auto' && isInjected(template))) return [];
    // A path follows a port, but not a tag.
    const tag = /:([^:/@]+)$/.exec(image)?.[1];
    const says = `${where}.image is ${image === '' ? 'missing' : `"${image}"`}`;
    if (tag === undefined)
      return [`${says}: without a tag it means the newest image; use a digest or a fixed tag`];
    return movingTag.test(tag)
      ? [`${says}: the tag "${tag}" may move to another image; use a digest or a fixed tag`]
      : [];
  });
}

/**
 * Containers without resource requests or limits. CPU is requested and not limited: a container may use idle CPU beyond its
 * request, and a limit would throttle it exactly when calls wait for it. Istio's own charts set no limits for its control
 * plane, whose memory grows with the mesh.
 */
export function unlimited(object: KubeObject): readonly string[] {
  const limited = text(object, 'metadata', 'labels', 'operator.istio.io/component') === undefined;
  const wanted = ['requests.cpu', 'requests.memory', ...(limited ? ['limits.memory'] : [])];
  return containersOf(podOf(object)).flatMap(([where, container]) => {
    const missing = wanted.filter((path) => field(container, 'resources', ...path.split('.')) === undefined);
    return missing.length === 0 ? [] : [`${where}.resources lacks ${missing.join(', ')}`];
  });
}

/** The pod, or a workload's pod template; a CronJob has it one level deeper. */
function podOf(object: KubeObject): unknown {
  switch (object.kind) {
    case 'Pod':
      return object;
    case 'CronJob':
      return field(object, 'spec', 'jobTemplate', 'spec', 'template');
    case 'Deployment':
    case 'DaemonSet':
    case 'StatefulSet':
    case 'ReplicaSet':
    case 'Job':
      return field(object, 'spec', 'template');
    default:
      return undefined;
  }
}

function containersOf(pod: unknown): readonly (readonly [where: string, container: unknown])[] {
  return ['initContainers', 'containers'].flatMap((key) =>
    list(pod, 'spec', key).map(
      (container) => [`${key}[${text(container, 'name') ?? ''}]`, container] as const,
    ),
  );
}

/** Istio's injector replaces the image `auto` with the proxy of its release. */
function isInjected(pod: unknown): boolean {
  return (
    text(pod, 'metadata', 'labels', 'sidecar.istio.io/inject') === 'true' ||
    text(pod, 'metadata', 'labels', revisionLabel) !== undefined ||
    text(pod, 'metadata', 'annotations', 'inject.istio.io/templates') !== undefined
  );
}
