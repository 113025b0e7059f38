import { podsOf, selects } from '../pods.ts';
import type { Pods } from '../pods.ts';
import { isByReference, selectorOf } from '../rules/about-pods.ts';
import { acceptedBy } from '../rules/rule.ts';
import { text, title } from '../../model/rendered.ts';
import type { RenderedCluster, RenderedObject } from '../../model/rendered.ts';

/** Istio's root namespace: what is there is about the pods of every namespace. */
export const rootNamespace = 'istio-system';

/** Namespaces of the control plane and of the mesh's gateways: their Secrets have keys of CAs, of other clusters, and of edges. */
export const closed: readonly string[] = [rootNamespace, 'istio-ingress', 'istio-eastwest'];

/** Pods of the mesh's own constructs: its workloads and gateways. */
export function declaredPods(cluster: RenderedCluster): readonly Pods[] {
  return podsOf(cluster).filter(({ of }) => of.own !== true);
}

/** The declared pods that an object of one's own is about: by labels, or all of its namespace, or in the root namespace, of every one. */
export function aboutDeclared(cluster: RenderedCluster, { object }: RenderedObject): readonly Pods[] {
  if (isByReference(object)) return [];
  const { namespace } = object.metadata;
  return declaredPods(cluster).filter(
    (pods) =>
      (pods.namespace === namespace || namespace === rootNamespace) &&
      selects(selectorOf(object), pods.labels),
  );
}

/** Whether an object gives a reason for an exception. */
export function isAccepted({ object }: RenderedObject, rule: string): boolean {
  return (text(object, 'metadata', 'annotations', acceptedBy(rule)) ?? '').trim() !== '';
}

/** The way out of a refusal, after what to do. */
export function orReason(fix: string, rule: string): string {
  return `${fix}; or, if it has to be so, give the reason in its annotation ${acceptedBy(rule)}`;
}

/** The first of some objects, each once. */
export function titlesOf(objects: readonly RenderedObject[]): string {
  const all = [...new Set(objects.map(({ object }) => title(object)))];
  const more = all.length - 3;
  return `${all.slice(0, 3).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
