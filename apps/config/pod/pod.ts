import type { EnvValue } from '../env-value.ts';
import type { Probe, Probes } from '../probes.ts';

/**
 * What is said of a workload's pods, beside what their own container is. What stands here the gates look at as at everything else that is
 * rendered.
 */
export interface PodConfig {
  /** Labels of the pods. Those by which Kubernetes, Istio or the mesh know pods are refused. @default - the mesh's own */
  readonly labels?: Readonly<Record<string, string>>;
  /** Annotations of the pods; of Istio's, those that size the proxy or set what it logs. @default - the mesh's own */
  readonly annotations?: Readonly<Record<string, string>>;
  /** Labels that a node must have (https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/). @default - any node */
  readonly nodeSelector?: Readonly<Record<string, string>>;
  /** Taints of nodes that the pods may run on all the same. @default - none */
  readonly tolerations?: readonly Toleration[];
  /** Kubernetes' `Affinity`, as it writes it. @default - none */
  readonly affinity?: Affinity;
  /** Name of a PriorityClass, which its owner makes in every cluster. @default - the cluster's */
  readonly priorityClass?: string;
  /** Names by the IP address that they are found at, in `/etc/hosts` of the containers. @default - none */
  readonly hostAliases?: Readonly<Record<string, readonly string[]>>;
  /** Number of the group that owns files of the volumes (`fsGroup`), so that a user other than root can write them. @default - none */
  readonly group?: number;
  /** Volumes by name. @default - none */
  readonly volumes?: Readonly<Record<string, Volume>>;
  /** What the service's own container mounts, by absolute path. @default - nothing */
  readonly mounts?: Mounts;
  /** What runs in the service's own container right after it was started, before it is ready. @default - nothing */
  readonly postStart?: Hook;
  /** Containers that run before the others, one after the other; one with `sidecar` keeps running beside them. @default - none */
  readonly initContainers?: readonly InitContainer[];
  /** Containers that run beside the service's own. @default - none */
  readonly containers?: readonly ExtraContainer[];
  /** Annotations of its service account, such as those of a cloud's workload identity. @default - none */
  readonly serviceAccount?: { readonly annotations?: Readonly<Record<string, string>> };
  /** Access to the Kubernetes API of its cluster, for the service's own container. @default - none, and no token */
  readonly kubernetesApi?: KubernetesApi;
  /**
   * Why something is no secret that looks like one, by the path with which synth refuses it: `cart.args.token` of a container, `data.FILE.NAME` of a setting in
   * `files`. The paths stand in the YAML. @default - all is refused that looks like one
   */
  readonly notSecret?: Readonly<Record<string, string>>;
  /** Changes of the rendered Deployment, for what no property says. @default - none */
  readonly patches?: readonly Patch[];
}

/** Kubernetes' `Affinity`: each part as Kubernetes writes it. */
export interface Affinity {
  readonly nodeAffinity?: Readonly<Record<string, unknown>>;
  readonly podAffinity?: Readonly<Record<string, unknown>>;
  readonly podAntiAffinity?: Readonly<Record<string, unknown>>;
}

/** A taint that is tolerated (https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/). */
export interface Toleration {
  /** @default - every key, with the operator `Exists` */
  readonly key?: string;
  /** @default Equal */
  readonly operator?: 'Equal' | 'Exists';
  /** With the operator `Equal`. @default - empty */
  readonly value?: string;
  /** @default - every effect */
  readonly effect?: 'NoSchedule' | 'PreferNoSchedule' | 'NoExecute';
  /** How long a pod stays, with the effect `NoExecute`. @default - for ever */
  readonly tolerationSeconds?: number;
}

/** Where the content of a volume comes from: one of these. */
export type Volume =
  | {
      /** An empty folder, as long as the pod lives; in `Memory` it counts to the memory of the containers. */
      readonly emptyDir: { readonly sizeLimit?: string; readonly medium?: 'Memory' };
    }
  | { readonly configMap: FilesOf }
  | { readonly secret: FilesOf }
  | { readonly projected: readonly Projected[] }
  | {
      /** Name of a PersistentVolumeClaim, which its owner makes in every cluster. */
      readonly claim: string;
    }
  | {
      /** Texts by file name, as a ConfigMap of the service: a change of one makes new pods. */
      readonly files: Readonly<Record<string, string>>;
    };

/** Keys of a Secret or ConfigMap, which its owner makes in every cluster, as files. Pods start once it exists. */
export interface FilesOf {
  readonly name: string;
  /** File by key. @default - every key, as a file of its name */
  readonly items?: Readonly<Record<string, string>>;
  /** Bits of the files: `0o440`. @default 0o644 */
  readonly mode?: number;
}

/** A part of a projected volume: one of these. */
export type Projected =
  | { readonly configMap: FilesOf }
  | { readonly secret: FilesOf }
  | {
      /** Fields of the pod by file: `{ labels: 'metadata.labels' }`. */
      readonly fields: Readonly<Record<string, string>>;
    }
  | {
      /** A token of the service account for somebody else than the Kubernetes API, renewed by the kubelet. */
      readonly token: {
        readonly audience: string;
        readonly path: string;
        readonly expirationSeconds?: number;
      };
    };

/** Volumes by the absolute path at which a container finds them. */
export type Mounts = Readonly<
  Record<string, string | { readonly volume: string; readonly readOnly?: boolean; readonly subPath?: string }>
>;

/** What the kubelet does at a moment of a container's life. */
export type Hook =
  { readonly exec: readonly string[] } | { readonly http: { readonly path: string; readonly port: number } };

/** A container that runs beside the service's own. It is held to the same. */
export interface ExtraContainer {
  /** A DNS label. */
  readonly name: string;
  /** As that of a service by image: `NAME:TAG` or `NAME@sha256:DIGEST`. @default - that of the service's own container, and its user */
  readonly image?: string;
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, EnvValue>>;
  /** @default - requests of 100m CPU and 128Mi, a limit of 512Mi */
  readonly resources?: {
    readonly requests: { readonly cpu: string; readonly memory: string };
    readonly limits: { readonly cpu?: string; readonly memory: string };
  };
  /** Number of the user that it runs as. @default - whom the image says, by number */
  readonly user?: number;
  readonly mounts?: Mounts;
  /** Ports that it listens on. Others in the mesh do not get to them. @default - none */
  readonly ports?: readonly number[];
  /** @default none */
  readonly probes?: Probe | Partial<Probes>;
  readonly postStart?: Hook;
  /** Before it is told to end. @default - of `containers`: the kubelet waits 10 s, until callers know that the pod is going */
  readonly preStop?: Hook | { readonly sleepSeconds: number };
}

/** A container that runs before the others. */
export interface InitContainer extends ExtraContainer {
  /**
   * Whether it keeps running beside the others, and ends after them
   * (https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/). @default false
   */
  readonly sidecar?: boolean;
}

/** Access to the Kubernetes API of the cluster that a pod runs in. */
export interface KubernetesApi {
  /** What its service account may do in its own namespace: a Role. @default - nothing but what others grant it */
  readonly rules?: readonly ApiRule[];
}

/** A rule of a Role (https://kubernetes.io/docs/reference/access-authn-authz/rbac/). */
export interface ApiRule {
  /** The empty text is Kubernetes' core. @default - the core */
  readonly apiGroups?: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
  /** Why it may give the rights of others, for reviewers: it stands in the YAML. @default - it gives none */
  readonly reason?: string;
}

/**
 * A change of the rendered Deployment by an operation of JSON Patch (RFC 6902). Unlike there, `replace`, `remove`, `move` and `copy` of what is
 * not there, and `add` below it, are told as mistakes of the declaration.
 */
export type Patch = Operation & {
  /** Why a guarantee may be undone, for reviewers: it stands in the YAML. @default - the patch undoes none */
  readonly reason?: string;
};

/** An operation of a JSON patch (RFC 6902, section 4): its paths are JSON pointers (RFC 6901) into the rendered object. */
export type Operation =
  | { readonly op: 'add' | 'replace' | 'test'; readonly path: string; readonly value: unknown }
  | { readonly op: 'remove'; readonly path: string }
  | { readonly op: 'move' | 'copy'; readonly from: string; readonly path: string };

/** What differs in one cluster. What is left out is as everywhere. */
export interface InCluster {
  /** Variables of the service's own container, beside and in the place of those that it has everywhere. */
  readonly env?: Readonly<Record<string, EnvValue>>;
  readonly replicas?: number;
  readonly resources?: NonNullable<ExtraContainer['resources']>;
  /** Image of the service's own container. */
  readonly image?: string;
  readonly nodeSelector?: Readonly<Record<string, string>>;
  readonly serviceAccount?: NonNullable<PodConfig['serviceAccount']>;
  /** After those of every cluster. */
  readonly patches?: readonly Patch[];
}
