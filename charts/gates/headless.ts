import type { Problem } from '../../core/problem.ts';
import { ofKind, text, title } from '../model/rendered.ts';
import type { RenderedMesh } from '../model/rendered.ts';

/**
 * No headless Service stands in clusters of several networks: its name resolves to addresses of pods, which lead nowhere
 * from another network, and where the pods do not run it does not resolve at all.
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
      return [
        {
          where,
          what: `${title(object)} is headless, and the addresses of its pods do not reach over the networks ${over.join(', ')}`,
          received: 'clusterIP: None',
          fix: 'leave clusterIP out, or add it, with `differs`, to the one cluster whose pods call each other by it',
        },
      ];
    }),
  );
}
