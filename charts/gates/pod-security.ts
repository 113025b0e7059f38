import type { Problem } from '../../core/problem.ts';
import { list, mapping, ofKind, text, title } from '../model/rendered.ts';
import type { KubernetesObject } from '../model/mesh-model.ts';
import type { RenderedCluster, RenderedMesh } from '../model/rendered.ts';
import { getsProxy } from './istio/injection.ts';
import { podsOf } from './pods.ts';
import { reachesNode } from './rules/pod-rules.ts';
import { isConfined, missingFor, otherSource, profileFix, sources } from './rules/restricted.ts';
import { acceptedBy } from './rules/rule.ts';

/**
 * What pods have to say of themselves in a namespace that enforces the Pod Security level `restricted`
 * (https://kubernetes.io/docs/concepts/security/pod-security-standards/). The API server takes a Deployment that does not, and
 * refuses each of its pods. What pods may not ask for is a rule of every namespace (`reachesNode`).
 */
export function podSecurity({ clusters }: RenderedMesh): readonly Problem[] {
  return clusters.flatMap((cluster) => {
    const restricted = restrictedNamespaces(cluster);
    return podsOf(cluster)
      .flatMap(({ of, pod, namespace }) => {
        const labels = restricted.get(namespace);
        return labels === undefined ? [] : [{ ...of, pod, labels }];
      })
      .flatMap(({ where, object, pod, labels }): readonly Problem[] => {
        if (text(pod, 'spec', 'os', 'name') === 'windows') return [];
        const level = `the level restricted of namespace ${object.metadata.namespace ?? ''}`;
        const lacks = `lacks what ${level} asks for, which refuses its pods`;
        const forAdded = getsSidecar(labels, pod) && !isConfined(pod);
        return [
          ...(forAdded
            ? [
                {
                  where,
                  what: `${title(object)}: the pods' securityContext ${lacks}: Istio adds containers that have no profile of their own`,
                  fix: `add ${profileFix}`,
                },
              ]
            : []),
          ...missingFor(pod, forAdded).map((one): Problem => {
            const what = `${title(object)}: ${one.where}.securityContext ${lacks}`;
            return { where, what, fix: `add ${one.missing.join(', ')}` };
          }),
          ...acceptedInVain(where, object, level),
          ...list(pod, 'spec', 'volumes')
            .filter((volume) => otherSource(volume) !== undefined)
            .map((volume) => ({
              where,
              what: `${title(object)}: volumes[${text(volume, 'name') ?? ''}] is of a kind that ${level} refuses`,
              received: otherSource(volume),
              allowed: sources.join(', '),
            })),
        ];
      });
  });
}

/** The labels of the namespaces that enforce the level, by name. */
function restrictedNamespaces(
  cluster: RenderedCluster,
): ReadonlyMap<string, Readonly<Record<string, string>>> {
  return new Map(
    ofKind(cluster, 'Namespace')
      .map(({ object }) => [object.metadata.name, mapping(object, 'metadata', 'labels')] as const)
      .filter(([, labels]) => labels['pod-security.kubernetes.io/enforce'] === 'restricted'),
  );
}

/**
 * Whether Istio adds istio-proxy and istio-validation to a pod. The API server judges the pod with them, and without the value
 * `global.proxy.seccompProfile` they have no profile. The template `gateway` adds none: it completes the pod's own istio-proxy.
 */
function getsSidecar(ofNamespace: Readonly<Record<string, string>>, pod: unknown): boolean {
  const templates = text(pod, 'metadata', 'annotations', 'inject.istio.io/templates');
  return templates !== 'gateway' && getsProxy(ofNamespace, pod);
}

const nodeAccess = acceptedBy('no-node-access');

/** A reason excuses an object from the rule, and not its pods from the level of their namespace. */
function acceptedInVain(where: string, object: KubernetesObject, level: string): readonly Problem[] {
  if ((text(object, 'metadata', 'annotations', nodeAccess) ?? '').trim() === '') return [];
  return reachesNode(object).map(({ what, received }) => ({
    where,
    what: `${title(object)}: ${what}, for which there is a reason, and ${level} refuses its pods all the same`,
    received,
    fix: 'declare the namespace with podSecurity: { level, reason }, or remove it',
  }));
}
