import type { Problem } from '../../../core/problem.ts';
import { podsOf, selects } from '../pods.ts';
import type { Pods } from '../pods.ts';
import { field, list, mapping, ofKind, push, text, title } from '../../model/rendered.ts';
import type { RenderedCluster, RenderedMesh, RenderedObject } from '../../model/rendered.ts';

/**
 * A port of pods has one protocol. Where Services lead to it by two, the pods' proxy takes the one of the Service that is
 * older, and policies by method or path hold or do not hold by chance.
 */
export function sharedPods({ clusters }: RenderedMesh): readonly Problem[] {
  return clusters.flatMap((cluster) => {
    const services = bySelector(cluster);
    return podsOf(cluster).flatMap((pods) => doubled(services, pods));
  });
}

/** Services by their namespace and a label that they select by. */
export type BySelector = ReadonlyMap<string, readonly RenderedObject[]>;

export function bySelector(cluster: RenderedCluster): BySelector {
  const found = new Map<string, RenderedObject[]>();
  for (const service of ofKind(cluster, 'Service')) {
    const [first] = Object.entries(mapping(service.object, 'spec', 'selector'));
    if (first === undefined) continue;
    push(found, `${service.object.metadata.namespace ?? ''} ${first.join('=')}`, service);
  }
  return found;
}

/** The Services that lead to some pods: those that select by none of their labels lead to none. */
export function servicesOf(found: BySelector, { namespace, labels }: Pods): readonly RenderedObject[] {
  return Object.entries(labels)
    .flatMap((label) => found.get(`${namespace} ${label.join('=')}`) ?? [])
    .filter(({ object }) => selects(mapping(object, 'spec', 'selector'), labels));
}

function doubled(found: BySelector, pods: Pods): readonly Problem[] {
  const { of } = pods;
  const services = servicesOf(found, pods);
  if (services.length < 2) return [];
  const first = new Map<string, { readonly protocol: string; readonly by: string }>();
  return services.flatMap(({ where, object }) =>
    list(object, 'spec', 'ports').flatMap((port): readonly Problem[] => {
      const target = String(field(port, 'targetPort') ?? field(port, 'port'));
      const [by, protocol] = [title(object), protocolOf(port)];
      const earlier = first.get(target);
      if (earlier === undefined) first.set(target, { protocol, by });
      if (earlier === undefined || earlier.protocol === protocol) return [];
      return [
        {
          where,
          what: `${by} targets port ${target} of ${title(of.object)} with a different protocol than ${earlier.by}, and Istio uses only one of them`,
          received: protocol,
          allowed: earlier.protocol,
          fix: 'use the same appProtocol in both, or separate ports',
        },
      ];
    }),
  );
}

/** The protocol that Istio takes a port for. */
function protocolOf(port: unknown): string {
  if (text(port, 'protocol') === 'UDP') return 'udp';
  const stated = (text(port, 'appProtocol') ?? text(port, 'name') ?? 'tcp').toLowerCase();
  return stated.startsWith('grpc-web') ? 'grpc-web' : (stated.split('-')[0] ?? stated);
}
