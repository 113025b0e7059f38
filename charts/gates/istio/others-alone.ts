import type { Problem } from '../../../core/problem.ts';
import { inSidecars, namespacesOf, qualified } from '../hosts.ts';
import { podsOf, selects } from '../pods.ts';
import type { Pods } from '../pods.ts';
import { aboutPods, isByReference, ownersOfPods } from '../rules/about-pods.ts';
import { aboutObjectsOfOthers, everyHost, rightsOnOthers } from './others-named.ts';
import { mapping, ofKind, text, texts, title } from '../../model/rendered.ts';
import type { OthersIstio, RenderedCluster, RenderedMesh, RenderedObject } from '../../model/rendered.ts';

/** Kinds that hold for every pod of their namespace. */
const ofNamespace = ['LimitRange', 'ResourceQuota'];

/**
 * On an Istio of others, nothing is written that is theirs: no object in the namespaces of Istio and its gateways; in any other
 * namespace that the mesh does not make, nothing about pods, objects or rights of others; no route or policy for a host of theirs,
 * none that they see for a host outside, and no claim to every host of their gateways. And what the mesh configuration would give a
 * mesh of its own, each pod has from an object beside it.
 */
export function othersAlone({ clusters, istio }: RenderedMesh): readonly Problem[] {
  if (istio === undefined) return [];
  return clusters.flatMap((cluster) => {
    const hosts = ownHosts(cluster);
    // What is in a closed one is refused as it is.
    const settled = [...namespacesOf(cluster), ...istio.closed];
    const amongOthers = cluster.objects.filter(
      ({ object: { metadata } }) => metadata.namespace !== undefined && !settled.includes(metadata.namespace),
    );
    return [
      ...cluster.objects.flatMap((rendered) => inNamespaceOfOthers(rendered, istio)),
      ...amongOthers.flatMap((rendered) => [
        ...aboutPodsOfOthers(rendered, istio),
        ...aboutObjectsOfOthers(rendered, cluster),
        ...rightsOnOthers(rendered, amongOthers),
      ]),
      ...ofKind(cluster, 'Gateway').flatMap((gateway) => everyHost(gateway, istio)),
      ...ofKind(cluster, 'DestinationRule', 'VirtualService').flatMap((rule) => aboutHosts(rule, hosts)),
      ...aboutHostsOutside(cluster, istio),
      ...podsOf(cluster).flatMap((pods) => inPlaintext(cluster, pods)),
    ];
  });
}

function inNamespaceOfOthers({ where, object }: RenderedObject, istio: OthersIstio): readonly Problem[] {
  const { name, namespace } = object.metadata;
  if (object.kind === 'Namespace' && [...istio.closed, ...istio.shared].includes(name)) {
    const what = `${title(object)} belongs to others, and is read and never written`;
    return [{ where, what, fix: 'remove it' }];
  }
  if (namespace === undefined || !istio.closed.includes(namespace)) return [];
  const what = `${title(object)} is in a namespace of the Istio of others, in which nothing is written`;
  return [{ where, what, received: namespace, fix: 'put it into a namespace of the mesh' }];
}

function aboutPodsOfOthers({ where, object }: RenderedObject, istio: OthersIstio): readonly Problem[] {
  const isShared = istio.shared.includes(object.metadata.namespace ?? '');
  const path = aboutPods[object.kind] ?? ownersOfPods[object.kind];
  // Whose gateways one is for, and which hosts it claims there, is looked at beside.
  if (object.kind === 'Gateway') return [];
  if (path === undefined) {
    if (!ofNamespace.includes(object.kind)) return [];
    const what = `${title(object)} holds for every pod of a namespace ${isShared ? 'that is shared with others' : 'of others'}`;
    return [{ where, what, fix: 'remove it, or put it into a namespace that the mesh has alone' }];
  }
  // Said by reference: about what is named, not about pods.
  if (isByReference(object)) return [];
  const received = mapping(object, ...path);
  // Without one, a Service leads to the endpoints that somebody gives it.
  if (object.kind === 'Service' && Object.keys(received).length === 0) return [];
  if (selects(istio.labels, received)) return [];
  const what = `${title(object)}: ${path.join('.')} also selects pods of others, ${isShared ? 'with whom the namespace is shared' : 'whose namespace it is'}`;
  const wanted = Object.entries(istio.labels).map(([key, value]) => `${key}: ${value}`);
  return [{ where, what, received, fix: `add ${wanted.join(', ')}` }];
}

/** The hosts that objects of the mesh stand for. */
function ownHosts(cluster: RenderedCluster): ReadonlySet<string> {
  return new Set([
    ...ofKind(cluster, 'Service').map(({ object }) =>
      qualified(object.metadata.name, object.metadata.namespace),
    ),
    ...ofKind(cluster, 'ServiceEntry').flatMap(({ object }) => texts(object, 'spec', 'hosts')),
  ]);
}

/** Routes and policies for hosts of others, which would change how everybody who sees them calls those. */
function aboutHosts({ where, object }: RenderedObject, hosts: ReadonlySet<string>): readonly Problem[] {
  return hostsNamed(object)
    .filter((host) => !hosts.has(host))
    .map((received) => ({
      where,
      what: `${title(object)} is about a host of others, which everybody who sees it would call otherwise`,
      received,
      fix: 'name a host of the mesh, or remove it',
    }));
}

/** The hosts that a rule changes the calls of pods to. */
function hostsNamed(object: RenderedObject['object']): readonly string[] {
  const isRule = object.kind === 'DestinationRule';
  // What a gateway serves to the outside, its Gateway claims.
  if (!isRule && !inSidecars(object)) return [];
  const named = isRule ? [text(object, 'spec', 'host') ?? ''] : texts(object, 'spec', 'hosts');
  return named.map((host) => qualified(host, object.metadata.namespace));
}

/** What says how a host outside is called, to namespaces with pods of others: Istio says it to every pod there. */
function aboutHostsOutside(cluster: RenderedCluster, istio: OthersIstio): readonly Problem[] {
  const entries = ofKind(cluster, 'ServiceEntry');
  const outside = new Set(entries.flatMap(({ object }) => texts(object, 'spec', 'hosts')));
  const rules = ofKind(cluster, 'DestinationRule', 'VirtualService').filter(({ object }) =>
    hostsNamed(object).some((host) => outside.has(host)),
  );
  const own = namespacesOf(cluster);
  return [...entries, ...rules].flatMap(({ where, object }): readonly Problem[] => {
    const { namespace = '' } = object.metadata;
    const exported = texts(object, 'spec', 'exportTo');
    const hasOthers = (name: string) =>
      istio.shared.includes(name) || !['~', namespace, ...own].includes(name);
    const shown = exported.length === 0 ? ['*'] : exported;
    if (!shown.some((name) => hasOthers(name === '.' ? namespace : name))) return [];
    const what = `${title(object)} is seen by pods of others, whose calls to its host would change`;
    const received = exported.length === 0 ? 'no spec.exportTo: every namespace' : exported;
    const allowed = "spec.exportTo with '.' and namespaces that the mesh has alone";
    const fix = istio.shared.includes(namespace)
      ? 'put it, and what calls the host, into such a namespace'
      : "add exportTo: ['.'] to its spec";
    return [{ where, what, received, allowed, fix }];
  });
}

/** Pods that no PeerAuthentication of the mesh is for: the mesh configuration of others may let plaintext in. */
function inPlaintext(cluster: RenderedCluster, { of, pod, namespace, labels }: Pods): readonly Problem[] {
  const annotations = mapping(pod, 'metadata', 'annotations');
  const isGateway = annotations['inject.istio.io/templates'] === 'gateway';
  if (isGateway || labels['sidecar.istio.io/inject'] === 'false') return [];
  const held = ofKind(cluster, 'PeerAuthentication').some(
    ({ object }) =>
      object.metadata.namespace === namespace &&
      selects(mapping(object, 'spec', 'selector', 'matchLabels'), labels),
  );
  if (held) return [];
  const what = `${title(of.object)}: its pods take calls in plaintext where the Istio of others does, because no PeerAuthentication is for them`;
  return [{ where: of.where, what, fix: 'add one with mode STRICT that selects them' }];
}
