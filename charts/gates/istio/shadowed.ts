import type { Problem } from '../../../core/problem.ts';
import { field, ofKind, text, title } from '../../model/rendered.ts';
import type { RenderedMesh, RenderedObject } from '../../model/rendered.ts';
import { covers, namespacesOf, qualified } from '../hosts.ts';
import { exportedTo } from '../routes.ts';

/**
 * No DestinationRule for many hosts takes the place of one for a host of another namespace. A proxy looks into its own namespace first, and takes what it finds
 * there though another namespace has a nearer one: what that says of TLS, subsets and outliers is lost
 * (https://istio.io/latest/docs/ops/best-practices/traffic-management/#cross-namespace-configuration).
 */
export function shadowed({ clusters }: RenderedMesh): readonly Problem[] {
  return clusters.flatMap((cluster) => {
    const rules = ofKind(cluster, 'DestinationRule');
    const single = rules.filter((rule) => !hostOf(rule).includes('*'));
    const namespaces = namespacesOf(cluster);
    return rules.flatMap((wide): readonly Problem[] => {
      const [host, own] = [hostOf(wide), wide.object.metadata.namespace ?? ''];
      if (!host.includes('*') || !namespaces.includes(own)) return [];
      const lost = single.find(
        (rule) =>
          rule.object.metadata.namespace !== own &&
          covers(host, hostOf(rule)) &&
          isGiven(wide, own) &&
          isGiven(rule, own),
      );
      if (lost === undefined) return [];
      return [
        {
          where: wide.where,
          what: `${title(wide.object)} takes the place of ${title(lost.object)} of ${lost.where} for callers in ${own}, as proxies look into their own namespace first`,
          received: host,
          fix: 'name single hosts that nothing else is about',
        },
      ];
    });
  });
}

function hostOf({ object }: RenderedObject): string {
  return qualified(text(object, 'spec', 'host') ?? '', object.metadata.namespace);
}

/** Whether the proxies of a namespace get a rule. */
function isGiven({ object }: RenderedObject, namespace: string): boolean {
  return exportedTo(field(object, 'spec', 'exportTo'), object.metadata.namespace ?? '', namespace);
}
