import type { Problem } from '../../core/problem.ts';
import { ofKind, text, title } from '../model/rendered.ts';
import type { KubernetesObject } from '../model/mesh-model.ts';
import type { RenderedMesh } from '../model/rendered.ts';

/**
 * A headless Service must not be in clusters of several networks: its name resolves to pod addresses, which cannot be
 * reached from another network, and where its pods do not run the name does not resolve at all. One that names the pods of a StatefulSet beside
 * it may be: the DNS of a cluster knows its own pods alone, and those are meant.
 */
export function headless({ clusters }: RenderedMesh): readonly Problem[] {
  const networks = new Map<string, Set<string>>();
  for (const cluster of clusters) {
    for (const { object } of ofKind(cluster, 'Service')) {
      const found = networks.get(title(object)) ?? new Set();
      networks.set(title(object), found.add(cluster.network));
    }
  }
  return clusters.flatMap((cluster) =>
    ofKind(cluster, 'Service').flatMap(({ where, object }): readonly Problem[] => {
      const over = [...(networks.get(title(object)) ?? [])];
      if (text(object, 'spec', 'clusterIP') !== 'None' || over.length < 2) return [];
      if (ofKind(cluster, 'StatefulSet').some((set) => governs(object, set.object))) return [];
      return [
        {
          where,
          what: `${title(object)} is headless, and the addresses of its pods cannot be reached across the networks ${over.join(', ')}`,
          received: 'clusterIP: None',
          fix: 'remove clusterIP, or add the Service with `differs` only to the cluster whose pods call each other through it',
        },
      ];
    }),
  );
}

/** Whether a Service is the one by which the pods of a StatefulSet have their names. */
function governs(service: KubernetesObject, set: KubernetesObject): boolean {
  return (
    set.metadata.namespace === service.metadata.namespace &&
    text(set, 'spec', 'serviceName') === service.metadata.name
  );
}
