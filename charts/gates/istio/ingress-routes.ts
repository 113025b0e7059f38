import type { Problem } from '../../../core/problem.ts';
import { destinationsOf, inSidecars, qualified } from '../hosts.ts';
import { ofKind, title } from '../../model/rendered.ts';
import type { RenderedMesh, RenderedObject } from '../../model/rendered.ts';

/**
 * Routes of a host hold where their VirtualService does: those of sidecars not at a gateway that leads to the host. What they
 * share out among subsets, the gateway's calls would reach without a share.
 */
export function ingressRoutes({ clusters }: RenderedMesh): readonly Problem[] {
  return clusters.flatMap((cluster) => {
    const services = ofKind(cluster, 'VirtualService');
    const shares = new Map<string, RenderedObject>();
    for (const service of services.filter(({ object }) => inSidecars(object))) {
      for (const { full, subset } of destinations(service))
        if (subset !== undefined) shares.set(full, service);
    }
    return services
      .filter(({ object }) => !inSidecars(object))
      .flatMap((service) =>
        destinations(service).flatMap(({ path, full, subset }): readonly Problem[] => {
          const other = subset === undefined ? shares.get(full) : undefined;
          if (other === undefined) return [];
          const { where, object } = service;
          const what = `${title(object)}: ${path} routes to all subsets of ${full}: the routes to its subsets in ${title(other.object)} of ${other.where} apply only in sidecars`;
          return [{ where, what, fix: 'route to the subsets here too, or add the gateway there' }];
        }),
      );
  });
}

function destinations({ object }: RenderedObject) {
  return destinationsOf(object).map(({ path, host, subset }) => ({
    path,
    full: qualified(host, object.metadata.namespace),
    subset,
  }));
}
