import { createHash } from 'node:crypto';
import { podOf } from './gates/rules/containers.ts';
import type { KubernetesObject } from './model/mesh-model.ts';
import { field, list, text, type RenderedObject } from './model/rendered.ts';

/** Annotation of pods whose ConfigMaps are in the declaration: a hash of what these hold. */
export const configChecksum = 'checksum/config';

const path = ['spec', 'template', 'metadata', 'annotations', configChecksum];
const workloads = ['Deployment', 'StatefulSet', 'DaemonSet'];

/**
 * The objects of a cluster, in which pods carry a hash of the ConfigMaps of the declaration that they read: a change of one makes new pods. Kubernetes does so by
 * itself for none: variables keep the value of the start, and files change while programs have read them. Those that cannot change, by `immutable`, have another name with other content.
 */
export function rolled(objects: readonly RenderedObject[]): readonly RenderedObject[] {
  const contents = new Map(
    objects
      .filter(
        ({ object }) =>
          object.kind === 'ConfigMap' && object.apiVersion === 'v1' && object['immutable'] !== true,
      )
      .map(
        ({ object }) => [idOf(object, object.metadata.name), [object['data'], object['binaryData']]] as const,
      ),
  );
  if (contents.size === 0) return objects;
  return objects.map((rendered) => {
    const { object, differs } = rendered;
    if (!workloads.includes(object.kind)) return rendered;
    const read = [...new Set(configMapsOf(podOf(object)))]
      .sort()
      .filter((name) => contents.has(idOf(object, name)));
    if (read.length === 0) return rendered;
    const held = read.map((name) => [name, contents.get(idOf(object, name))]);
    const hash = createHash('sha256').update(JSON.stringify(held)).digest('hex').slice(0, 12);
    const because = differs?.because ?? 'pods say which content of their ConfigMaps they have';
    return {
      ...rendered,
      object: withAnnotation(object, hash),
      differs: { ...differs, because, paths: [...(differs?.paths ?? []), path] },
    };
  });
}

function idOf({ metadata }: KubernetesObject, name: string): string {
  return `${metadata.namespace ?? ''}/${name}`;
}

/** Names of the ConfigMaps that pods read when they start, as variables or as files. */
function configMapsOf(pod: unknown): readonly string[] {
  const containers = ['initContainers', 'containers'].flatMap((key) => list(pod, 'spec', key));
  return [
    ...containers.flatMap((container) => [
      ...list(container, 'env').map((one) => text(one, 'valueFrom', 'configMapKeyRef', 'name')),
      ...list(container, 'envFrom').map((one) => text(one, 'configMapRef', 'name')),
    ]),
    ...list(pod, 'spec', 'volumes').flatMap((volume) => [
      text(volume, 'configMap', 'name'),
      ...list(volume, 'projected', 'sources').map((source) => text(source, 'configMap', 'name')),
    ]),
  ].filter((name) => name !== undefined);
}

function withAnnotation(object: KubernetesObject, hash: string): KubernetesObject {
  const template = field(object, 'spec', 'template') as { readonly metadata?: object };
  const annotations = {
    ...(field(template, 'metadata', 'annotations') as object | undefined),
    [configChecksum]: hash,
  };
  const sorted = Object.fromEntries(Object.entries(annotations).sort(([a], [b]) => (a < b ? -1 : 1)));
  const metadata = { ...template.metadata, annotations: sorted };
  return { ...object, spec: { ...(object['spec'] as object), template: { ...template, metadata } } };
}
