import { k8s } from 'cdk8s-plus-28';
import type { OwnVolume, StatefulConfig } from '../../../../apps/config/app-config.ts';

/** What makes a StatefulSet of the pods of a workload. */
export interface StatefulPlan extends StatefulConfig {
  /** Name of the headless Service by which each pod has a name. */
  readonly serviceName: string;
}

/** What a StatefulSet says beside its pods and their number. */
type StatefulFields = Omit<k8s.StatefulSetSpec, 'selector' | 'template' | 'replicas'>;

/**
 * How a StatefulSet keeps its pods apart (https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/). A change replaces one pod
 * at a time, the last one first. Claims stay when the StatefulSet, or a pod of it, is no longer declared: nobody else has what is on them.
 */
export function statefulFields({ serviceName, podManagement, volumes }: StatefulPlan): StatefulFields {
  return {
    serviceName,
    podManagementPolicy: podManagement === 'ordered' ? 'OrderedReady' : 'Parallel',
    updateStrategy: { type: 'RollingUpdate' },
    persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain', whenScaled: 'Retain' },
    ...(Object.keys(volumes).length === 0
      ? {}
      : { volumeClaimTemplates: Object.entries(volumes).map(([name, volume]) => claim(name, volume)) }),
  };
}

/** Without the labels of the mesh: what has them is the mesh's to delete. The controller gives a claim those of the selector. */
function claim(
  name: string,
  { size, accessMode, storageClass }: OwnVolume,
): k8s.KubePersistentVolumeClaimProps {
  return {
    metadata: { name },
    spec: {
      accessModes: [accessMode],
      resources: { requests: { storage: k8s.Quantity.fromString(size) } },
      ...(storageClass === undefined ? {} : { storageClassName: storageClass }),
    },
  };
}

/** A container with the volumes of its pod. */
export function withOwnVolumes(container: k8s.Container, { volumes }: StatefulConfig): k8s.Container {
  const mounts = Object.entries(volumes).map(([name, { mountPath }]) => ({ name, mountPath }));
  return mounts.length === 0
    ? container
    : { ...container, volumeMounts: [...(container.volumeMounts ?? []), ...mounts] };
}

/** Group of the files of volumes where nothing says another: that of the apps' own images. Whatever user a container has, it gets this group, too. */
const usualGroup = 65_532;

/**
 * Who owns the files of such volumes, so that a user other than root can write them. Files that have the group already are not gone
 * through at each start, which takes minutes where there are many.
 * @param user - number of the container's user, as far as it is declared
 */
export function ownersOfVolumes(
  { volumes }: StatefulConfig,
  user: number | undefined,
): k8s.PodSecurityContext {
  if (Object.keys(volumes).length === 0) return {};
  return { fsGroup: user ?? usualGroup, fsGroupChangePolicy: 'OnRootMismatch' };
}
