import { partOfLabel } from '../../model/labels.ts';

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
