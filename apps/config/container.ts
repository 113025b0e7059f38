import type { EnvValue } from './env-value.ts';
import type { PodConfig } from './pod/pod.ts';
import type { Probes } from './probes.ts';
import type { StatefulConfig } from './pod/stateful.ts';

/** What a container is and needs, wherever its image comes from. */
export interface ContainerConfig {
  /** Name of the container. A DNS label. */
  readonly name: string;
  /** Fully qualified proto services it serves. */
  readonly services: readonly string[];
  /**
   * TCP ports, at least one. `http` is the port of the app's own HTTP server, or with {@link httpGateway} that of
   * the gateway container in its pod.
   */
  readonly ports: { readonly grpc?: number; readonly http?: number };
  /** Kubernetes quantities. */
  readonly resources: {
    readonly requests: { readonly cpu: string; readonly memory: string };
    readonly limits: { readonly cpu?: string; readonly memory: string };
  };
  /** Pods per cluster; with {@link autoscaling}, the minimum. */
  readonly replicas: number;
  /** Adds pods while the present ones are busy. Needs a metrics server. @default - always `replicas` */
  readonly autoscaling?: {
    /** Maximum number of pods per cluster. */
    readonly maxReplicas: number;
    /** Target average CPU utilization, in percent of what each container requests. @default 70 */
    readonly cpuPercent: number;
  };
  /** How a pod shuts down; shutdown.ts says what else has to fit into the grace period. */
  readonly shutdown: {
    /** How long calls in flight may take once no new ones are accepted. @default 15 */
    readonly drainSeconds: number;
    /** From the moment that the pod is told to end to SIGKILL. @default 30 */
    readonly graceSeconds: number;
  };
  /** Environment variables of the container, by name. A secret is only referenced. */
  readonly env: Readonly<Record<string, EnvValue>>;
  /** Whether the pod also carries the HTTP gateway container. */
  readonly httpGateway: boolean;
  /** What is said of its pods. @default - nothing */
  readonly pod?: PodConfig;
}

/** A container whose image is built elsewhere, and named by its reference. */
export interface ForeignConfig extends ContainerConfig {
  readonly foreign: ForeignImage;
}

/** What is said of an image that is built elsewhere. What is left out, the image itself says. */
export interface ForeignImage {
  /** As it was given: without a registry, it is under the platform's `imageHub`. */
  readonly reference: string;
  /** Secrets (`kubernetes.io/dockerconfigjson`) with the registry's credentials, in the workload's namespace. */
  readonly pullSecrets: readonly string[];
  /** Port of its Kubernetes Service that leads to the port `grpc` of the container, or to `http` where it serves plain HTTP. @default - it has no such port */
  readonly servicePort?: number;
  /** Its ports by name, where it serves something else than gRPC, over TCP. The first is the one that probes ask. @default - it serves gRPC */
  readonly tcp?: Readonly<Record<string, TcpPorts>>;
  /** In the place of the image's entrypoint. */
  readonly command?: readonly string[];
  /** In the place of the image's arguments. */
  readonly args?: readonly string[];
  readonly probes: Probes;
  /** Number of the user that it runs as. */
  readonly user?: number;
  /** Where it serves metrics in Prometheus' text format. */
  readonly metrics?: { readonly port: number; readonly path: string };
  /** That its pods are told apart, and what they keep. @default - neither */
  readonly stateful?: StatefulConfig;
}

/** A TCP port of a container, and that of its Kubernetes Service which leads to it. */
export interface TcpPorts {
  readonly port: number;
  readonly servicePort: number;
}

/** Whether a container's image is built elsewhere. */
export function isForeign(config: ContainerConfig): config is ForeignConfig {
  return 'foreign' in config;
}
