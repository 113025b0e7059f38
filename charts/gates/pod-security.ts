import type { Problem } from '../../core/problem.ts';
import { list, mapping, ofKind, text, title } from '../model/rendered.ts';
import type { KubernetesObject } from '../model/mesh-model.ts';
import type { RenderedCluster, RenderedMesh } from '../model/rendered.ts';
import { getsProxy } from './istio/injection.ts';
import { podsOf } from './pods.ts';
import { beyondBaseline, reachesNode, unfiltered } from './rules/node-access.ts';
import { isConfined, missingFor, otherSource, profileFix, sources } from './rules/restricted.ts';
import { acceptedBy, type Violation } from './rules/rule.ts';

/**
 * Pods against the Pod Security level that their namespace enforces (https://kubernetes.io/docs/concepts/security/pod-security-standards/): what they have
 * to say of themselves for `restricted`, and what an exception from a rule lets them ask for although the level forbids it. The API server takes a Deployment of such pods, and
 * refuses each of them. What pods may not ask for without a reason is a rule of every namespace (`reachesNode`).
 */
export function podSecurity({ clusters }: RenderedMesh): readonly Problem[] {
  return clusters.flatMap((cluster) => {
    const [restricted, baseline] = [enforcing(cluster, 'restricted'), enforcing(cluster, 'baseline')];
    const seen = new Set<KubernetesObject>();
    return podsOf(cluster).flatMap(({ of: { where, object }, pod, namespace }): readonly Problem[] => {
      if (text(pod, 'spec', 'os', 'name') === 'windows') return [];
      const isFirst = !seen.has(object);
      seen.add(object);
      const labels = restricted.get(namespace);
      if (labels !== undefined) {
        const level = `the level restricted of namespace ${namespace}`;
        return [
          ...lacking(where, object, pod, labels, level),
          ...(isFirst ? acceptedInVain(where, object, level, reachesNode(object)) : []),
          ...otherVolumes(where, object, pod, level),
        ];
      }
      if (!baseline.has(namespace)) return [];
      const level = `the level baseline of namespace ${namespace}`;
      return [
        ...(isFirst ? acceptedInVain(where, object, level, beyondBaseline(object)) : []),
        ...unfiltered(pod).map((path) => ({
          where,
          what: `${title(object)}: ${path} is what ${level} forbids, which refuses its pods`,
          received: 'Unconfined',
          fix: 'remove it, or use RuntimeDefault',
        })),
      ];
    });
  });
}

function lacking(
  where: string,
  object: KubernetesObject,
  pod: unknown,
  labels: Readonly<Record<string, string>>,
  level: string,
): readonly Problem[] {
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
  ];
}

function otherVolumes(
  where: string,
  object: KubernetesObject,
  pod: unknown,
  level: string,
): readonly Problem[] {
  return list(pod, 'spec', 'volumes')
    .filter((volume) => otherSource(volume) !== undefined)
    .map((volume) => ({
      where,
      what: `${title(object)}: volumes[${text(volume, 'name') ?? ''}] is of a kind that ${level} refuses`,
      received: otherSource(volume),
      allowed: sources.join(', '),
    }));
}

/** The labels of the namespaces that enforce a level, by name. */
function enforcing(
  cluster: RenderedCluster,
  level: string,
): ReadonlyMap<string, Readonly<Record<string, string>>> {
  return new Map(
    ofKind(cluster, 'Namespace')
      .map(({ object }) => [object.metadata.name, mapping(object, 'metadata', 'labels')] as const)
      .filter(([, labels]) => labels['pod-security.kubernetes.io/enforce'] === level),
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
function acceptedInVain(
  where: string,
  object: KubernetesObject,
  level: string,
  forbidden: readonly Violation[],
): readonly Problem[] {
  if ((text(object, 'metadata', 'annotations', nodeAccess) ?? '').trim() === '') return [];
  return forbidden.map(({ what, received }) => ({
    where,
    what: `${title(object)}: ${what}, for which there is a reason, and ${level} refuses its pods all the same`,
    received,
    fix: 'declare the namespace with podSecurity: { level, reason }, or remove it',
  }));
}
