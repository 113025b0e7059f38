import type { Problem } from '../../core/problem.ts';
import { namespacesOf, qualified } from './hosts.ts';
import { field, list, mapping, ofKind, push, text, texts, title } from '../model/rendered.ts';
import { isApart } from './istio/egress.ts';
import { exportedTo } from './routes.ts';
import type { RenderedMesh, RenderedObject } from '../model/rendered.ts';

/** No two objects configure the same thing: Istio would use one of them, or merge them, depending on their age; of node ports the API server refuses the second. */
export function conflicts({ clusters }: RenderedMesh): readonly Problem[] {
  return clusters.flatMap((cluster) => {
    const claims = new Map<string, RenderedObject[]>();
    for (const service of ofKind(cluster, 'VirtualService')) {
      for (const claim of virtualServiceClaims(service.object)) push(claims, claim, service);
    }
    for (const rule of ofKind(cluster, 'DestinationRule')) {
      const { object } = rule;
      const host = qualified(text(object, 'spec', 'host') ?? '', object.metadata.namespace);
      const selector = mapping(object, 'spec', 'workloadSelector', 'matchLabels');
      const whose =
        Object.keys(selector).length === 0 ? '' : ` for callers with labels ${canonical(selector)}`;
      push(claims, `traffic to host ${host}${whose}`, rule);
    }
    for (const service of ofKind(cluster, 'Service')) {
      for (const port of list(service.object, 'spec', 'ports')) {
        const number = field(port, 'nodePort');
        const protocol = text(port, 'protocol') ?? 'TCP';
        if (typeof number === 'number') push(claims, `node port ${number} (${protocol})`, service);
      }
    }
    for (const entry of ofKind(cluster, 'ServiceEntry')) {
      for (const claim of listenerClaims(entry.object)) push(claims, claim, entry);
    }
    for (const gateway of ofKind(cluster, 'Gateway')) {
      for (const claim of gatewayClaims(gateway.object)) push(claims, claim, gateway);
    }
    const namespaces = namespacesOf(cluster);
    return [...claims].flatMap(([claim, claimants]) =>
      claimants.flatMap((other, index): readonly Problem[] => {
        const first = claimants.slice(0, index).find((one) => {
          const met = meetingIn(one, other, namespaces);
          if (met.length === 0) return false;
          return (
            one.object.kind !== 'ServiceEntry' ||
            one === other ||
            !isApart(cluster, hostsIn(one), hostsIn(other), met)
          );
        });
        if (first === undefined) return [];
        const what =
          first === other
            ? `${title(other.object)} claims ${claim} twice`
            : `${title(other.object)} claims ${claim}, as does ${title(first.object)} of ${first.where}`;
        return [{ where: other.where, what, fix: 'keep one of them' }];
      }),
    );
  });
}

/** Namespaces whose proxies are given both: what is exported to others alone rules nothing there. */
function meetingIn(
  one: RenderedObject,
  other: RenderedObject,
  namespaces: readonly string[],
): readonly string[] {
  const of = [one, other].map(({ object }) => ({
    exported: field(object, 'spec', 'exportTo'),
    own: object.metadata.namespace ?? '',
  }));
  const all = [...of.map(({ own }) => own), ...namespaces];
  return all.filter((namespace) => of.every(({ exported, own }) => exportedTo(exported, own, namespace)));
}

function hostsIn({ object }: RenderedObject): readonly string[] {
  return texts(object, 'spec', 'hosts');
}

function virtualServiceClaims(object: RenderedObject['object']): readonly string[] {
  const { namespace } = object.metadata;
  const gateways = texts(object, 'spec', 'gateways');
  return (gateways.length === 0 ? ['mesh'] : gateways).flatMap((gateway) => {
    const at = gateway === 'mesh' || gateway.includes('/') ? gateway : `${namespace ?? ''}/${gateway}`;
    const on = gateway === 'mesh' ? 'in sidecars' : `on Gateway ${at}`;
    return texts(object, 'spec', 'hosts').map((host) => `host ${qualified(host, namespace)} ${on}`);
  });
}

/** Protocols by which a proxy tells hosts of one port apart. */
const named = ['HTTP', 'HTTP2', 'GRPC', 'HTTPS', 'TLS'];

/**
 * The listeners that a proxy opens for a ServiceEntry without addresses: one for each port, which leads to one host unless
 * the protocol names hosts (https://istio.io/latest/docs/ops/configuration/traffic-management/protocol-selection/).
 */
function listenerClaims(object: RenderedObject['object']): readonly string[] {
  if (list(object, 'spec', 'addresses').length > 0) return [];
  return list(object, 'spec', 'ports').flatMap((port) => {
    const protocol = (text(port, 'protocol') ?? '').toUpperCase();
    if (named.includes(protocol)) return [];
    const number = String(field(port, 'number'));
    return texts(object, 'spec', 'hosts').map(
      () => `all calls to port ${number} outside the mesh (${protocol})`,
    );
  });
}

function gatewayClaims(object: RenderedObject['object']): readonly string[] {
  const pods = canonical(mapping(object, 'spec', 'selector'));
  return list(object, 'spec', 'servers').flatMap((server) => {
    const port = String(field(server, 'port', 'number'));
    return texts(server, 'hosts').map(
      (host) => `host ${host} on port ${port} of the gateways with labels ${pods}`,
    );
  });
}

function canonical(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map((label) => label.join('='))
    .sort()
    .join(',');
}
