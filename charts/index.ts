/**
 * Everything that a mesh is declared with. A declaration imports only from here: `import { GrpcService, Mesh } from './index.ts'`.
 * docs/constructs.md shows each construct.
 */
export { ExternalService } from './constructs/access/external-service.ts';
export type {
  CallerEncrypted,
  ExternalCa,
  ExternalClient,
  ExternalPortProps,
  ExternalProtocol,
  ExternalServiceProps,
  ExternalTls,
  InTheClear,
  ProxyEncrypted,
} from './constructs/access/external-props.ts';
export type { ExternalCallee, ExternalPort } from './constructs/access/external-port.ts';
export type { ExternalCall } from './constructs/access/external-calls.ts';
export {
  MutualTls,
  type MutualTlsMode,
  type MutualTlsProps,
  type ServiceMutualTlsProps,
} from './constructs/workload/mutual-tls.ts';
export {
  GrpcService,
  type AppSource,
  type ContainerProps,
  type GrpcServiceProps,
  type ImageSource,
  type VersionProps,
} from './constructs/workload/grpc-service.ts';
export { HttpService, type HttpRetries, type HttpServiceProps } from './constructs/web/http-service.ts';
export type { HttpVerb, ServiceRoute } from './constructs/scope/service-route.ts';
export {
  TcpService,
  type StatefulProps,
  type TcpPortNumber,
  type TcpServiceProps,
} from './constructs/tcp/tcp-service.ts';
export { CronJob, type CronJobProps } from './constructs/jobs/cron-job.ts';
export { Job, type JobProps, type RunProps } from './constructs/jobs/job.ts';
export type { TcpPort } from './constructs/scope/tcp-port.ts';
export type { Probe, Probes, TcpProbe } from '../apps/config/probes.ts';
export type {
  Affinity,
  ApiRule,
  ExtraContainer,
  FilesOf,
  Hook,
  InCluster,
  InitContainer,
  KubernetesApi,
  Mounts,
  Operation,
  Patch,
  PodConfig,
  Projected,
  Toleration,
  Volume,
} from '../apps/config/pod/pod.ts';
export type { LowerPodSecurity } from './constructs/scope/pod-security.ts';
export {
  existingCaller,
  type ExistingCaller,
  type ExistingCallerProps,
} from './constructs/existing/existing-caller.ts';
export {
  existingService,
  type ExistingService,
  type ExistingServiceProps,
} from './constructs/existing/existing-service.ts';
export type { Cors } from './constructs/edge/cors.ts';
export type { Exposed } from './constructs/edge/expose.ts';
export { HttpEdge, type HttpEdgeProps } from './constructs/edge/http-edge.ts';
export type { ClaimRule, JsonWebKeySet, Jwt } from './constructs/edge/jwt.ts';
export type { EdgeProtocol } from './constructs/edge/protocols.ts';
export type { Tls } from './constructs/edge/tls.ts';
export type { Gateways, LoadBalancer, NodePort, Sources } from './constructs/scope/gateway-address.ts';
export type { IstioKind, IstioSpec } from './model/istio-models.ts';
export { MeshConstruct, Namespace } from './constructs/scope/mesh-construct.ts';
export { OwnObject, type OwnManifest, type OwnObjectProps } from './constructs/scope/own-object.ts';
export { declare, type Declaration, type DeclareProps, type EnvironmentOf } from './declare.ts';
export { hole, type Hole, type HoleKind, type HoleValues } from './holes.ts';
export { Mesh, type MeshProps } from './constructs/mesh.ts';
export type { Cluster, ClusterIstio, ClusterProps, RevisionProps } from './constructs/scope/cluster.ts';
export type { Method, MethodKind, Methods } from './constructs/scope/method.ts';
export type {
  ExistingIngress,
  ExistingIstio,
  ExistingPlatform,
  Platform,
} from './constructs/scope/platform.ts';
export type { Metadata, Projection } from './constructs/scope/projection.ts';
export type { TrafficDefaults } from './constructs/scope/traffic-defaults.ts';
export type { Tracing, WorkloadTracing } from './constructs/scope/tracing.ts';
/** Kubernetes' own kinds, for your own constructs: `into.add(stage, k8s.KubeConfigMap, ...)`. */
export { k8s } from 'cdk8s-plus-28';
export type {
  Connections,
  Fault,
  GrpcStatusName,
  MetadataMatch,
  Mirror,
  Outliers,
  Retries,
  TrafficPolicyProps,
  TrafficRule,
} from './constructs/traffic/props.ts';
export type { RateLimit } from './constructs/rate-limits/rate-limit.ts';
export { ServiceLimits, type ServiceLimitsProps } from './constructs/rate-limits/service-limits.ts';
export { TrafficPolicy } from './constructs/traffic/traffic-policy.ts';
export { existing, lab, released, type ExistingOptions, type ReleasedOptions } from './platforms.ts';
export { synthesize, type RenderedStage, type StageName } from './synth.ts';
export type { Problem } from '../core/problem.ts';
