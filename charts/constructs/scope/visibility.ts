import { partOfLabel } from '../../model/labels.ts';
import { eastWestGateway } from './names.ts';
import { crossNetworks } from './networks.ts';
import { existingIstio, isExisting, type AnyPlatform } from './platform.ts';

/** What a Service says it is visible to by (https://istio.io/latest/docs/reference/config/annotations/). */
const exportToAnnotation = 'networking.istio.io/exportTo';

/**
 * The `exportTo` of a DestinationRule, VirtualService or ServiceEntry: its own namespace (`.`) and the given ones,
 * ordered. A proxy of any other namespace does not learn of it, whatever its Sidecar asks for, and istiod need not look
 * at it for them. Istio's own default is every namespace.
 * @param own - namespace it stands in
 * @param others - namespaces of those who call it, and of gateways that lead to it
 */
export function exportTo(own: string, others: Iterable<string>): string[] {
  return ['.', ...[...new Set(others)].filter((namespace) => namespace !== own).sort()];
}

/**
 * The `exportTo` of a Service that is called, and of the policy of its traffic. Where clusters are on several networks also the
 * east-west gateways see it, which have an upstream for each Service, and for each subset of its DestinationRule, that is visible
 * to them: without, calls from other clusters find no way on. Where those of others stand may be unknown: then everybody sees it.
 */
export function exportToCallers(
  {
    clusters,
    platform,
  }: { readonly clusters: readonly { readonly network: string }[]; readonly platform: AnyPlatform },
  own: string,
  callers: readonly string[],
): string[] {
  if (callers.length === 0 || !crossNetworks(clusters)) return exportTo(own, callers);
  const gateways = isExisting(platform)
    ? existingIstio(platform).eastWestNamespace
    : eastWestGateway.namespace;
  return gateways === undefined ? ['*'] : exportTo(own, [...callers, gateways]);
}

/**
 * The `exportTo` of the routes of a Service that has one itself: on an Istio of others, everybody may see the Service, and its routes are
 * for its callers alone.
 */
export function routesExportTo(own: string, exported: string[], callers: readonly string[]): string[] {
  return exported.includes('*') ? exportTo(own, callers) : exported;
}

/** The same for a Service, as its annotations. */
export function exportToAnnotations(exported: readonly string[]): Readonly<Record<string, string>> {
  return { [exportToAnnotation]: exported.join(',') };
}

/**
 * `discoverySelectors` of the mesh (https://istio.io/latest/docs/reference/config/istio.mesh.v1alpha1/#MeshConfig):
 * istiod watches only namespaces that this mesh rendered, in its own and in the other clusters.
 */
export function discoverySelectors(mesh: string): readonly object[] {
  return [{ matchLabels: { [partOfLabel]: mesh } }];
}
