import type { OwnVolume, PodManagement } from '../../../apps/config/app-config.ts';
import type { TcpProbe, Probes } from '../../../apps/config/probes.ts';
import { keysOf, unknownKeys } from '../../../core/keys.ts';
import type { Problem } from '../../../core/problem.ts';
import { keysIn } from '../scope/keys-in.ts';
import { podsKeys, type PodsProps } from '../workload/pods/pods.ts';
import { containerKeys, type ContainerProps } from '../workload/service-props.ts';

/** Properties of a `TcpService`: the image of its server, its ports, and where it runs. */
export interface TcpServiceProps<P extends string, C extends string>
  extends ContainerProps, PodsProps<NoInfer<C>> {
  /**
   * Its ports by name: the number that the server listens on, or with `servicePort` also that of the Kubernetes Service, by which it is
   * called: `{ mysql: 3306, admin: { port: 33062, servicePort: 3307 } }`. Names have 1 to 15 characters of a-z, 0-9 and inner hyphens.
   */
  readonly ports: Readonly<Record<P, TcpPortNumber>>;
  /** Clusters its pods run in. @default - every cluster of the mesh */
  readonly placement?: readonly NoInfer<C>[];
  /**
   * Whether its instances in several clusters hold the same data, because they replicate it or have none. Only then may a connection from
   * one cluster go to another where its own has no instance; else it goes to the caller's own cluster, or fails. @default false
   */
  readonly replicated?: boolean;
  /**
   * Makes a StatefulSet of its pods (https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/): each has a name that stays, and
   * volumes for itself that outlive it; they start, change and go one after the other. Not with `autoscaling`.
   * @default - a Deployment: no pod is told from another, and nothing outlives one
   */
  readonly stateful?: StatefulProps;
  /** How the kubelet asks the container whether it has started, may get calls and works: the same way, or each. @default { tcp: {} } */
  readonly probes?: TcpProbe | Partial<Probes<TcpProbe>>;
}

/** What the pods of a `stateful` service keep, and how they start. All of it is for good: Kubernetes changes none of it in a StatefulSet. */
export interface StatefulProps {
  /**
   * Volumes that each pod has for itself, by name: `{ data: { mountPath: '/data', size: '10Gi' } }`. The files belong to the group that `pod.group`
   * says, or else to one of the number of `user`, or 65532. `storageClass` is the cluster's default, `accessMode` `ReadWriteOnce` unless given.
   * @default - none
   */
  readonly volumes?: Readonly<
    Record<
      string,
      Pick<OwnVolume, 'mountPath' | 'size'> & Partial<Pick<OwnVolume, 'storageClass' | 'accessMode'>>
    >
  >;
  /** Whether a pod waits until the one before it is ready. Changes go one by one either way. @default ordered */
  readonly podManagement?: PodManagement;
}

/** A port of the container, and of the Kubernetes Service where that differs. */
export type TcpPortNumber = number | { readonly port: number; readonly servicePort?: number };

/** The keys of all properties of a TcpService. */
const propKeys = keysOf<TcpServiceProps<string, string>>({
  ...containerKeys,
  ...podsKeys,
  ports: true,
  placement: true,
  replicated: true,
  stateful: true,
  probes: true,
});

/** What of the properties belongs to the service itself; plain JavaScript may pass anything. */
export function propProblems(where: string, props: unknown): readonly Problem[] {
  const { replicated } = keysIn(props);
  const isFlag = replicated === undefined || replicated === null || typeof replicated === 'boolean';
  const flag = { where: `${where}: replicated`, what: 'is not a boolean', received: replicated };
  return [...unknownKeys(where, props, propKeys), ...(isFlag ? [] : [{ ...flag, allowed: 'true or false' }])];
}

/** Volumes of its own pods that those which are said of its pods are in the way of. */
export function volumeProblems(where: string, props: unknown): readonly Problem[] {
  const pod = keysIn(keysIn(props)['pod']);
  const [names, paths] = [Object.keys(keysIn(pod['volumes'])), Object.keys(keysIn(pod['mounts']))];
  const own = Object.entries(keysIn(keysIn(keysIn(props)['stateful'])['volumes']));
  return own.flatMap(([name, volume]): readonly Problem[] => {
    const { mountPath } = keysIn(volume);
    const place = `${where}: stateful.volumes.${name}`;
    const fix = 'choose another';
    return [
      ...(names.includes(name)
        ? [{ where: place, what: 'is the name of a volume of pod.volumes, too', received: name, fix }]
        : []),
      ...(typeof mountPath === 'string' && paths.includes(mountPath)
        ? [{ where: `${place}.mountPath`, what: 'is a path of pod.mounts, too', received: mountPath, fix }]
        : []),
    ];
  });
}

/** Names of its ports, as far as there are any. */
export function portNames(props: unknown): readonly string[] {
  return Object.keys(keysIn(keysIn(props)['ports']));
}
