import type { Sources } from './gateway-address.ts';

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

/** `imagePullSecrets` as a ServiceAccount has it. */
export function pullSecrets({ imagePullSecrets = [] }: Platform): {
  readonly imagePullSecrets?: { name: string }[];
} {
  return imagePullSecrets.length === 0
    ? {}
    : { imagePullSecrets: imagePullSecrets.map((name) => ({ name })) };
}
