import type { Problem } from '../../core/problem.ts';
import { field, list, mapping, ofKind, text, title } from '../model/rendered.ts';
import type { RenderedCluster, RenderedMesh } from '../model/rendered.ts';
import { getsProxy } from './istio/injection.ts';
import { containersOf, podOf } from './rules/pod-rules.ts';

/** Kinds whose pods the API server refuses when they are made, and not the object itself. */
const workloads = ['Pod', 'Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet', 'Job', 'CronJob'];

/**
 * What pods have to say of themselves in a namespace that enforces the Pod Security level `restricted`
 * (https://kubernetes.io/docs/concepts/security/pod-security-standards/). The API server takes a Deployment that does not, and
 * refuses each of its pods. What pods may not ask for is a rule of every namespace (`reachesNode`).
 */
export function podSecurity({ clusters }: RenderedMesh): readonly Problem[] {
  return clusters.flatMap((cluster) => {
    const restricted = restrictedNamespaces(cluster);
    return ofKind(cluster, ...workloads)
      .flatMap((of) => {
        const labels = restricted.get(of.object.metadata.namespace ?? '');
        return labels === undefined ? [] : [{ ...of, labels }];
      })
      .flatMap(({ where, object, labels }): readonly Problem[] => {
        const pod = podOf(object);
        if (text(pod, 'spec', 'os', 'name') === 'windows') return [];
        const level = `the level restricted of namespace ${object.metadata.namespace ?? ''}`;
        const lacks = `lacks what ${level} asks for, which refuses its pods`;
        const forAdded = getsSidecar(labels, pod) && !confines(field(pod, ...podProfile));
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
          ...containersOf(pod).flatMap(([name, container]): readonly Problem[] => {
            const missing = unsaid(pod, container, forAdded);
            if (missing.length === 0) return [];
            const what = `${title(object)}: ${name}.securityContext ${lacks}`;
            return [{ where, what, fix: `add ${missing.join(', ')}` }];
          }),
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

const podProfile = ['spec', 'securityContext', 'seccompProfile', 'type'];
const profileFix = 'seccompProfile: { type: RuntimeDefault }';

function confines(profile: unknown): boolean {
  return profile === 'RuntimeDefault' || profile === 'Localhost';
}

/**
 * What a container has to say and does not, as its own YAML would. What it says wrongly is against a rule already.
 * @param isAsked - whether the pod is asked for the profile: it is the container's, too, where this has none
 */
function unsaid(pod: unknown, container: unknown, isAsked: boolean): readonly string[] {
  const own = (...path: readonly string[]) => field(container, 'securityContext', ...path);
  const shared = (...path: readonly string[]) => field(pod, 'spec', 'securityContext', ...path);
  const profile = own('seccompProfile', 'type') ?? (isAsked ? undefined : field(pod, ...podProfile));
  return [
    ...(own('allowPrivilegeEscalation') === undefined ? ['allowPrivilegeEscalation: false'] : []),
    ...(list(container, 'securityContext', 'capabilities', 'drop').includes('ALL')
      ? []
      : ['capabilities: { drop: [ALL] }']),
    ...((own('runAsNonRoot') ?? shared('runAsNonRoot')) === undefined ? ['runAsNonRoot: true'] : []),
    ...(confines(profile) || (isAsked && profile === undefined) ? [] : [profileFix]),
  ];
}

const sources = [
  ...['configMap', 'csi', 'downwardAPI', 'emptyDir', 'ephemeral', 'persistentVolumeClaim', 'projected'],
  'secret',
];

/** The source of a volume, where the level does not allow it; a folder of the node is against a rule already. */
function otherSource(volume: unknown): string | undefined {
  const [source] = Object.keys(volume ?? {}).filter((key) => key !== 'name');
  return source === undefined || source === 'hostPath' || sources.includes(source) ? undefined : source;
}
