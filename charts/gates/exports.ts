import type { Problem } from '../../core/problem.ts';
import { destinationsOf, hostFor, inSidecars, qualified } from './hosts.ts';
import { podsOf, selects } from './pods.ts';
import type { Pods } from './pods.ts';
import { field, isJoined, list, mapping, ofKind, push, text, texts, title } from '../model/rendered.ts';
import type { OthersIstio, RenderedCluster, RenderedMesh, RenderedObject } from '../model/rendered.ts';
import { exportedTo } from './routes.ts';

/**
 * Objects that a proxy needs for the calls it makes or forwards must be exported to its namespace: the Service, and the
 * DestinationRules and VirtualServices of its host. Otherwise the call fails, or runs without its policy.
 */
export function missingExports({ clusters, istio }: RenderedMesh): readonly Problem[] {
  const crosses = new Set(clusters.map(({ network }) => network)).size > 1;
  const invisible = unseenDestinations(clusters);
  const missing = clusters.flatMap((cluster) => {
    const viewers = viewersOf(cluster, crosses, istio);
    const subjects: readonly (readonly [RenderedObject, readonly string[], unknown])[] = [
      ...ofKind(cluster, 'Service').map((of) => {
        const { namespace = '', name, annotations } = of.object.metadata;
        const exported = annotations?.['networking.istio.io/exportTo']?.split(',');
        return [of, [`${name}.${namespace}.svc.cluster.local`], exported] as const;
      }),
      ...ofKind(cluster, 'DestinationRule').map((of) => {
        const host = qualified(text(of.object, 'spec', 'host') ?? '', of.object.metadata.namespace);
        return [of, [host], field(of.object, 'spec', 'exportTo')] as const;
      }),
      ...ofKind(cluster, 'VirtualService', 'ServiceEntry')
        .filter(({ object }) => object.kind === 'ServiceEntry' || inSidecars(object))
        .map((of) => {
          const hosts = texts(of.object, 'spec', 'hosts');
          const full = hosts.map((host) => qualified(host, of.object.metadata.namespace));
          return [of, full, field(of.object, 'spec', 'exportTo')] as const;
        }),
    ];
    return subjects.flatMap(([{ where, object }, hosts, exported]) => {
      const seenBy = new Map(hosts.flatMap((host) => [...(viewers.get(host) ?? [])]));
      return [...seenBy].flatMap(([namespace, why]): readonly Problem[] => {
        if (exportedTo(exported, object.metadata.namespace ?? '', namespace)) return [];
        // A VirtualService is for the caller's proxy, not for the gateways that forward the call.
        if (why.kind === 'Gateway' && object.kind === 'VirtualService') return [];
        return [
          {
            where,
            what: `${title(object)} is not exported to namespace ${namespace}, where ${title(why)} needs it`,
            received: exported,
            fix: `add ${namespace} to its exportTo`,
          },
        ];
      });
    });
  });
  return [...missing, ...invisible];
}

/**
 * Destinations of VirtualServices that the proxies that use the VirtualService do not know: those of its own namespace,
 * or of those that it is exported to by name.
 */
function unseenDestinations(clusters: readonly RenderedCluster[]): readonly Problem[] {
  const shown = new Map<string, { readonly exportTo: unknown; readonly namespace: string }[]>();
  for (const { object } of clusters.flatMap((cluster) => ofKind(cluster, 'Service', 'ServiceEntry'))) {
    const { namespace = '', name, annotations } = object.metadata;
    const isService = object.kind === 'Service';
    const hosts = isService ? [qualified(name, namespace)] : texts(object, 'spec', 'hosts');
    const exportTo = isService
      ? annotations?.['networking.istio.io/exportTo']?.split(',')
      : field(object, 'spec', 'exportTo');
    for (const host of hosts) push(shown, host, { exportTo, namespace });
  }
  return clusters.flatMap((cluster) =>
    ofKind(cluster, 'VirtualService')
      .filter(({ object }) => inSidecars(object))
      .flatMap(({ where, object }) => {
        const { namespace: own = '' } = object.metadata;
        const names = texts(object, 'spec', 'exportTo').map((name) => (name === '.' ? own : name));
        const viewers = names.length === 0 || names.includes('*') ? [own] : names;
        return destinationsOf(object).flatMap(({ path, host }) => {
          const full = qualified(host, own);
          const known = hostFor(shown, full);
          const entries = known === undefined ? [] : (shown.get(known) ?? []);
          if (entries.length === 0) return [];
          return viewers
            .filter((viewer) => !entries.some((one) => exportedTo(one.exportTo, one.namespace, viewer)))
            .map((viewer) => ({
              where,
              what: `${title(object)}: ${path} leads to ${full}, which is not exported to namespace ${viewer}, where the VirtualService applies`,
              received: entries[0]?.exportTo,
              fix: `add ${viewer} to the exportTo of the host, or remove it from that of the VirtualService`,
            }));
        });
      }),
  );
}

/** By host: the namespaces whose proxies call it or forward calls to it, and the object that makes them do so. */
function viewersOf(
  cluster: RenderedCluster,
  crosses: boolean,
  istio: OthersIstio | undefined,
): ReadonlyMap<string, ReadonlyMap<string, RenderedObject['object']>> {
  const viewers = new Map<string, Map<string, RenderedObject['object']>>();
  const note = (host: string, namespace: string, why: RenderedObject['object']) => {
    const known = viewers.get(host);
    if (known === undefined) viewers.set(host, new Map([[namespace, why]]));
    else if (!known.has(namespace)) known.set(namespace, why);
  };
  for (const { object } of ofKind(cluster, 'Sidecar')) {
    for (const entry of list(object, 'spec', 'egress').flatMap((listener) => texts(listener, 'hosts'))) {
      note(entry.split('/')[1] ?? '', object.metadata.namespace ?? '', object);
    }
  }
  const pods = podsOf(cluster);
  const behind = new Map<string, string[]>();
  const gateways = ofKind(cluster, 'Gateway').map(({ object }) => {
    const selector = mapping(object, 'spec', 'selector');
    const running: readonly Pick<Pods, 'namespace'>[] = isJoined(istio, selector)
      ? [istio.ingress]
      : pods.filter(({ labels }) => selects(selector, labels));
    const namespaces = running.map(({ namespace }) => namespace);
    for (const namespace of namespaces) {
      push(behind, `${object.metadata.namespace ?? ''}/${object.metadata.name}`, namespace);
    }
    return { object, namespaces };
  });
  for (const { object } of ofKind(cluster, 'VirtualService')) {
    if (inSidecars(object)) continue;
    const { namespace: own = '' } = object.metadata;
    for (const gateway of texts(object, 'spec', 'gateways')) {
      for (const namespace of behind.get(gateway.includes('/') ? gateway : `${own}/${gateway}`) ?? []) {
        for (const { host } of destinationsOf(object)) note(qualified(host, own), namespace, object);
      }
    }
  }
  if (!crosses) return viewers;
  // Any host that is called may be called from another network.
  for (const { object, namespaces } of gateways) {
    const passes = list(object, 'spec', 'servers').some(
      (server) => text(server, 'tls', 'mode') === 'AUTO_PASSTHROUGH',
    );
    if (!passes) continue;
    for (const host of [...viewers.keys()]) {
      if (!host.endsWith('.svc.cluster.local')) continue;
      for (const namespace of namespaces) note(host, namespace, object);
    }
  }
  return viewers;
}
