import { nearest } from '../../core/names.ts';
import type { Problem } from '../../core/problem.ts';
import { namespacesOf } from './hosts.ts';
import type { KubernetesObject } from '../model/mesh-model.ts';
import { title } from '../model/rendered.ts';
import type { RenderedMesh } from '../model/rendered.ts';
import { acceptedBy } from './rules/rule.ts';
import { hasSchema } from './schemas.ts';

/** Namespaces that every cluster has. */
export const alwaysThere: readonly string[] = ['default', 'kube-system', 'kube-public', 'kube-node-lease'];

/** Kinds with a schema at hand that are of the whole cluster; every other one with a schema is in a namespace. */
const clusterWide = ['Namespace', 'ClusterRole', 'ClusterRoleBinding'];

const annotation = acceptedBy('undeclared-namespace');

/** Whether an object gives a reason for being about, or in, a namespace of somebody else's. */
export function namespaceAccepted({ metadata }: KubernetesObject): boolean {
  return (metadata.annotations?.[annotation] ?? '').trim() !== '';
}

/**
 * Every object stands in a namespace that the mesh declares. In another one it is not applied before somebody else makes
 * the namespace, and Istio does not look there (`discoverySelectors`); without one it would land in `default`.
 */
export function undeclaredNamespaces({ clusters, istio }: RenderedMesh): readonly Problem[] {
  return clusters.flatMap((cluster) => {
    const declared = [...namespacesOf(cluster), ...(istio?.shared ?? [])];
    return cluster.objects.flatMap(({ where, object, custom }): readonly Problem[] => {
      const { namespace } = object.metadata;
      if (namespace === undefined) {
        if ((custom && !hasSchema(object)) || clusterWide.includes(object.kind)) return [];
        const what = `${title(object)} has no namespace, and would be created in default`;
        return [{ where, what, allowed: declared.join(', '), fix: 'set its namespace' }];
      }
      if (declared.includes(namespace) || namespaceAccepted(object)) return [];
      const isIstio = /(^|\.)istio\.io\//.test(object.apiVersion);
      if (alwaysThere.includes(namespace) && !isIstio) return [];
      const near = nearest(namespace, declared);
      const meant = near === undefined ? 'declare it with mesh.namespace' : `did you mean ${near}?`;
      return [
        {
          where,
          what: `${title(object)} is in a namespace that the mesh does not declare`,
          received: namespace,
          allowed: declared.join(', '),
          fix: `${meant}; or, if something else creates it, give the reason in the annotation ${annotation}`,
        },
      ];
    });
  });
}
