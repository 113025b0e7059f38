import type { Problem } from '../../core/problem.ts';
import { field, list, mapping, ofKind, text, title } from '../model/rendered.ts';
import type { RenderedCluster, RenderedMesh } from '../model/rendered.ts';
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
    const restricted = new Set(restrictedNamespaces(cluster));
    return ofKind(cluster, ...workloads)
      .filter(({ object }) => restricted.has(object.metadata.namespace ?? ''))
      .flatMap(({ where, object }): readonly Problem[] => {
        const pod = podOf(object);
        if (text(pod, 'spec', 'os', 'name') === 'windows') return [];
        const level = `the level restricted of namespace ${object.metadata.namespace ?? ''}`;
        return [
          ...containersOf(pod).flatMap(([name, container]): readonly Problem[] => {
            const missing = unsaid(pod, container);
            if (missing.length === 0) return [];
            const what = `${title(object)}: ${name}.securityContext lacks what ${level} asks for, which refuses its pods`;
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

function restrictedNamespaces(cluster: RenderedCluster): readonly string[] {
  return ofKind(cluster, 'Namespace')
    .filter(
      ({ object }) =>
        mapping(object, 'metadata', 'labels')['pod-security.kubernetes.io/enforce'] === 'restricted',
    )
    .map(({ object }) => object.metadata.name);
}

const profiles = ['RuntimeDefault', 'Localhost'];

/** What a container has to say and does not, as its own YAML would. What it says wrongly is against a rule already. */
function unsaid(pod: unknown, container: unknown): readonly string[] {
  const own = (...path: readonly string[]) => field(container, 'securityContext', ...path);
  const shared = (...path: readonly string[]) => field(pod, 'spec', 'securityContext', ...path);
  const profile = own('seccompProfile', 'type') ?? shared('seccompProfile', 'type');
  return [
    ...(own('allowPrivilegeEscalation') === undefined ? ['allowPrivilegeEscalation: false'] : []),
    ...(list(container, 'securityContext', 'capabilities', 'drop').includes('ALL')
      ? []
      : ['capabilities: { drop: [ALL] }']),
    ...((own('runAsNonRoot') ?? shared('runAsNonRoot')) === undefined ? ['runAsNonRoot: true'] : []),
    ...(typeof profile === 'string' && profiles.includes(profile)
      ? []
      : ['seccompProfile: { type: RuntimeDefault }']),
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
