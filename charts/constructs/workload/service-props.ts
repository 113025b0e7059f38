import type { DescService } from '@bufbuild/protobuf';
import type { ContainerConfig, EnvValue } from '../../../apps/config/app-config.ts';
import type { Probe, Probes } from '../../../apps/config/probes.ts';
import type { WorkloadTracing } from '../scope/tracing.ts';
import type { PodsProps } from './pods/pods.ts';
import type { VersionProps } from './versions.ts';

/** Properties of a `GrpcService`: what it serves, where its image comes from, and where it runs. */
export type GrpcServiceProps<S extends DescService, C extends string, V extends string = 'v1'> = Serving<S> &
  (AppSource | ImageSource) &
  PlacementProps<C, V>;

/** What a service serves: one proto service, or several on one server. */
export type Serving<S extends DescService> =
  | {
      /** Descriptor of the proto service it serves, generated from proto/. */
      readonly service: S;
      readonly services?: never;
    }
  | {
      /** Descriptors of all proto services that its server serves. */
      readonly services: readonly S[];
      readonly service?: never;
    };

/** Where a service runs, and in which versions. */
export interface PlacementProps<C extends string, V extends string> extends PodsProps<NoInfer<C>> {
  /** Clusters its pods run in. @default - every cluster of the mesh */
  readonly placement?: readonly NoInfer<C>[];
  /**
   * Versions that run side by side behind the one Service, each as a Deployment `<service>-<version>`. A TrafficPolicy
   * says what share of the calls each gets, and which calls; without one, each pod gets the same share.
   * @default - one version, v1, as the Deployment `<service>`
   */
  readonly versions?: Readonly<Record<V, VersionProps<NoInfer<C>>>>;
  /** Its share of traces. @default - the mesh's */
  readonly tracing?: WorkloadTracing;
}

/** A container by an app folder. */
export interface AppSource {
  /**
   * Folder with config.yml, relative to the project root: ports, resources, replicas, environment, and an image that is built from the folder or
   * named by its reference.
   */
  readonly app: string;
  readonly image?: never;
}

/** What is said of a container whose image is built elsewhere, whatever it serves. */
export interface ContainerProps {
  /**
   * `NAME:TAG` or `NAME@sha256:DIGEST`: under the platform's `imageHub`, or with a registry of its own. By a tag that is never
   * moved: not `latest`, and not `1.4`, which the next patch takes.
   */
  readonly image: string;
  /** Secrets (`kubernetes.io/dockerconfigjson`) with the registry's credentials, in its namespace in every cluster. @default - the platform's alone */
  readonly imagePullSecrets?: readonly string[];
  /** Environment variables of the container; nothing else is set. A secret is only referenced. @default - none */
  readonly env?: Readonly<Record<string, EnvValue>>;
  /** Kubernetes quantities. @default - requests of 100m CPU and 128Mi, a limit of 512Mi */
  readonly resources?: ContainerConfig['resources'];
  /** Pods per cluster; with autoscaling, the minimum. @default 1 */
  readonly replicas?: number;
  /** Adds pods while the present ones are busy; needs a metrics server. `cpuPercent` is 70 by default. @default - always `replicas` */
  readonly autoscaling?: { readonly maxReplicas: number; readonly cpuPercent?: number };
  /**
   * How a pod ends, in seconds: its server is told so once callers know, and has `drainSeconds` (15) for calls in flight; it is
   * killed `graceSeconds` (30) after the pod began to end.
   */
  readonly shutdown?: { readonly drainSeconds?: number; readonly graceSeconds?: number };
  /** In the place of the image's entrypoint. @default - what the image says */
  readonly command?: readonly string[];
  /** In the place of the image's arguments. @default - what the image says */
  readonly args?: readonly string[];
  /** Number of the user that it runs as, never root. @default - whom the image says, by number */
  readonly user?: number;
  /** Where it serves metrics in Prometheus' text format: a path of `/metrics` by default. @default - it serves none */
  readonly metrics?: { readonly port: number; readonly path?: string };
}

/** Their keys. */
export const containerKeys = {
  image: true,
  imagePullSecrets: true,
  env: true,
  resources: true,
  replicas: true,
  autoscaling: true,
  shutdown: true,
  command: true,
  args: true,
  user: true,
  metrics: true,
} as const satisfies Record<keyof ContainerProps, true>;

/** A gRPC server by the reference of an image that is built elsewhere. A config.yml may say the same. */
export interface ImageSource extends ContainerProps {
  readonly app?: never;
  /** Port of the container on which its gRPC server listens, in plaintext. This, or `ports`. */
  readonly port?: number;
  /** The same as `grpc`, and with `httpGateway` the port of the gateway's container. @default - `http` is that of apps/gateway/config.yml */
  readonly ports?: { readonly grpc: number; readonly http?: number };
  /** Port of the Kubernetes Service, by which it is called. @default - that of the container */
  readonly servicePort?: number;
  /** How the kubelet asks the container whether it has started, may get calls and works: the same way, or each. @default { grpc: {} } */
  readonly probes?: Probe | Partial<Probes>;
  /** Whether each pod also carries the HTTP gateway. @default false */
  readonly httpGateway?: boolean;
}
