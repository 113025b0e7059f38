import { join } from 'node:path';

/** What is looked at of any object: as the API server writes it. */
interface Metadata {
  readonly name?: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly deletionTimestamp?: unknown;
}

/** What is looked at of a PersistentVolumeClaim. */
export interface Claim {
  readonly metadata?: Metadata;
  readonly spec?: {
    readonly accessModes?: readonly string[];
    readonly resources?: { readonly requests?: Readonly<Record<string, string>> };
    readonly storageClassName?: string;
    readonly volumeName?: string;
  };
}

/** What is looked at of a PersistentVolume. */
export interface Volume {
  readonly metadata?: Metadata;
  readonly spec?: {
    readonly local?: { readonly path: string };
    readonly persistentVolumeReclaimPolicy?: string;
  };
  readonly status?: { readonly phase?: string };
}

/** Name of the lab's StorageClass, and of what makes its volumes: the same as elsewhere for volumes that are folders of a node. */
export const storageClass = 'local-path';
const provisioner = 'local-path.lab';

/** Kubernetes' mark on what a provisioner made: without it, the controller manager takes a released volume for its own, and fails to delete it. */
const provisionedBy = 'pv.kubernetes.io/provisioned-by';

/** What the scheduler says of a claim whose first pod it has placed. */
const selectedNode = 'volume.kubernetes.io/selected-node';

/** The class of claims that name none. A claim waits for its first pod, as the volume is on that one's node. */
export const defaultClass = {
  apiVersion: 'storage.k8s.io/v1',
  kind: 'StorageClass',
  metadata: {
    name: storageClass,
    annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' },
  },
  provisioner,
  reclaimPolicy: 'Delete',
  volumeBindingMode: 'WaitForFirstConsumer',
} as const;

/** Claims that wait for a volume of this node. */
export function waitingClaims<C extends Claim>(claims: readonly C[], node: string): readonly C[] {
  return claims.filter(
    ({ metadata, spec }) =>
      spec?.storageClassName === storageClass &&
      spec.volumeName === undefined &&
      metadata?.deletionTimestamp === undefined &&
      metadata?.annotations?.[selectedNode] === node,
  );
}

/** Volumes whose claims are gone. */
export function releasedVolumes<V extends Volume>(volumes: readonly V[]): readonly V[] {
  return volumes.filter(
    ({ metadata, spec, status }) =>
      metadata?.annotations?.[provisionedBy] === provisioner &&
      spec?.persistentVolumeReclaimPolicy === 'Delete' &&
      status?.phase === 'Released',
  );
}

/**
 * The volume for a claim: a folder of the node, named by the claim's uid, so that it is never made twice. It is of the kind `local`, whose files the
 * kubelet gives to a pod's group as it does on a disk. Its size is not kept to.
 * @param folder - of all volumes of the node
 */
export function volumeFor(claim: Claim, node: string, folder: string) {
  const { metadata, spec } = claim;
  const name = `pvc-${metadata?.uid ?? ''}`;
  const claimRef = {
    ...{ apiVersion: 'v1', kind: 'PersistentVolumeClaim' },
    ...{ namespace: metadata?.namespace ?? '', name: metadata?.name ?? '', uid: metadata?.uid ?? '' },
  };
  const here = { key: 'kubernetes.io/hostname', operator: 'In', values: [node] };
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name, annotations: { [provisionedBy]: provisioner } },
    spec: {
      accessModes: [...(spec?.accessModes ?? [])],
      capacity: { ...spec?.resources?.requests },
      claimRef,
      local: { path: join(folder, name) },
      nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [here] }] } },
      persistentVolumeReclaimPolicy: 'Delete',
      storageClassName: storageClass,
      volumeMode: 'Filesystem',
    },
  };
}
