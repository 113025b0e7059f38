import { defaultRevision } from '../../model/labels.ts';
import type { Sources } from './gateway-address.ts';
import { controlPlaneNamespace } from './names.ts';

/** Kubernetes quantities, such as `100m` and `128Mi`. */
export interface Amounts {
  readonly cpu: string;
  readonly memory: string;
}

/** Requests and limits of a container. */
export interface Resources {
  readonly requests: Amounts;
  readonly limits: Amounts;
}

/** What differs between places a mesh can run: where images come from and how large the mesh's own parts are. */
export interface Platform {
  /** Registry and folder of the apps' images, without a trailing slash: `registry.example/shop`. */
  readonly imageHub: string;
  /**
   * Secrets (`kubernetes.io/dockerconfigjson`) with the hubs' credentials. They are not made by the mesh, and have to be in
   * each of its namespaces. @default - none
   */
  readonly imagePullSecrets?: readonly string[];
  readonly istio: {
    /** Registry and folder of Istio's images. */
    readonly hub: string;
    /** Tag of Istio's images. */
    readonly tag: string;
    /**
     * Which Envoy the proxy image holds. `istio` is the released one. `upstream-envoy` lacks Istio's own filters
     * (ALPN, metadata exchange, istio_stats), so istiod is told not to send them.
     */
    readonly proxy: 'istio' | 'upstream-envoy';
  };
  /** istiod; scales with load when `maxReplicas` is more than `minReplicas`, which needs a metrics server. */
  readonly controlPlane: {
    readonly minReplicas: number;
    readonly maxReplicas: number;
    readonly requests: Amounts;
  };
  /** The agent that every node runs. */
  readonly cni: { readonly requests: Amounts };
  /** The proxy beside each workload. */
  readonly sidecar: Resources;
  /** Each gateway. */
  readonly gateway: Resources & {
    readonly replicas: number;
    /** Whether its load balancer reaches it by node ports, as most clouds' do; the lab's does not. */
    readonly nodePorts: boolean;
    /** From where a load balancer lets connections in, when no address is declared. @default - not said: from anywhere */
    readonly sources?: Sources;
  };
}

/** The Istio of others that a mesh runs on, as its owners know it. */
export interface ExistingIstio {
  /** Value of the label `istio.io/rev`, a revision or a tag, that pods of the mesh carry. @default - none: `istio-injection=enabled` */
  readonly revision?: string;
  /** Istio's root namespace. @default istio-system */
  readonly rootNamespace?: string;
  /**
   * Whether Istio's CNI agent prepares the pods' networks. Without, each pod gets an init container that needs capabilities which no
   * Pod Security level but `privileged` lets it have. @default true
   */
  readonly cni?: boolean;
  /**
   * Namespace of the gateways between networks, which have to see each service that is called from another cluster.
   * @default - not said: such services are visible in every namespace
   */
  readonly eastWestNamespace?: string;
}

/** Ingress gateways of others that edges join. */
export interface ExistingIngress {
  readonly namespace: string;
  /** Of their pods: edges take requests from this identity alone. */
  readonly serviceAccount: string;
  /** Labels that Istio Gateways select the pods by, such as `{ istio: 'ingressgateway' }`. */
  readonly selector: Readonly<Record<string, string>>;
  /** Name of their Kubernetes Service, with ports 80 for HTTP and 443 for HTTPS. */
  readonly service: string;
}

/** Clusters that have an Istio of others: made by `existing`. */
export interface ExistingPlatform extends Pick<
  Platform,
  'imageHub' | 'imagePullSecrets' | 'sidecar' | 'gateway'
> {
  readonly existing: ExistingIstio;
  /** @default - edges have an ingress gateway of the mesh's own */
  readonly ingress?: ExistingIngress;
}

/** Where a mesh runs: on an Istio of its own, or of others. */
export type AnyPlatform = Platform | ExistingPlatform;

/** Whether a platform has an Istio of others; plain JavaScript may have passed anything. */
export function isExisting(platform: unknown): platform is ExistingPlatform {
  return typeof platform === 'object' && platform !== null && 'existing' in platform;
}

/** The Istio of others as declared, with its defaults; of what plain JavaScript left out, the defaults alone. */
export function existingIstio(platform: ExistingPlatform): {
  readonly revision: string;
  readonly rootNamespace: string;
  readonly cni: boolean;
  readonly eastWestNamespace?: string;
} {
  const existing = (platform.existing as ExistingIstio | null | undefined) ?? {};
  const { revision = defaultRevision, rootNamespace = controlPlaneNamespace, cni = true } = existing;
  const { eastWestNamespace } = existing;
  return { revision, rootNamespace, cni, ...(eastWestNamespace === undefined ? {} : { eastWestNamespace }) };
}

/**
 * `imagePullSecrets` as a ServiceAccount has it: the platform's, which the proxy beside a workload is pulled by, and the workload's
 * own. What a pod names itself would take the place of both.
 */
export function pullSecrets(
  { imagePullSecrets = [] }: AnyPlatform,
  own: readonly string[] = [],
): { readonly imagePullSecrets?: { name: string }[] } {
  const names = [...new Set([...imagePullSecrets, ...own])];
  return names.length === 0 ? {} : { imagePullSecrets: names.map((name) => ({ name })) };
}
