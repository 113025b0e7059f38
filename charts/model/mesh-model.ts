import { own } from '../../core/own.ts';

/** A rendered Kubernetes object: plain data, as it stands in dist/. */
export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly [field: string]: unknown;
}

/** One of a workload's Deployments, or its StatefulSet. */
export interface DeploymentModel {
  /** The workload's name, or with versions `<workload>-<version>`. */
  readonly name: string;
  /** Value of its pods' label `version`. */
  readonly version: string;
  /** Clusters its pods run in, in the mesh's order. */
  readonly placement: readonly string[];
  /** Pods per cluster. */
  readonly replicas: number;
  /** Pods of the clusters that have another number of them. @default - none has */
  readonly replicasIn?: Readonly<Record<string, number>>;
  /** It is a StatefulSet. Absent: a Deployment. */
  readonly stateful?: true;
}

/** What Kubernetes calls it. */
export function kindOf({ stateful }: Pick<DeploymentModel, 'stateful'>): 'Deployment' | 'StatefulSet' {
  return stateful === true ? 'StatefulSet' : 'Deployment';
}

/** Pods of a Deployment in a cluster. */
export function replicasOf(
  { replicas, replicasIn = {} }: Pick<DeploymentModel, 'replicas' | 'replicasIn'>,
  cluster: string,
): number {
  return own(replicasIn, cluster) ?? replicas;
}

/** A workload as declared, for those who watch or call it. */
export interface WorkloadModel {
  readonly name: string;
  readonly namespace: string;
  /** Folder of the app that its image is built from. Absent: its image is built elsewhere, and its answers do not tell who gave them. */
  readonly app?: string;
  /** Fully qualified proto services. */
  readonly services: readonly string[];
  /** Clusters its pods run in, in the mesh's order. */
  readonly placement: readonly string[];
  /** One, or one per version. */
  readonly deployments: readonly DeploymentModel[];
  /** Clusters in which pods of it may answer calls: those of the placement where any replicas are declared. */
  readonly answersFrom: readonly string[];
  /**
   * Whether a caller gets pods of its own cluster wherever there are any. Not with a `distribution`, with versions that run in
   * different clusters, or where clusters share a zone, or are in one region that one of them
   * has several zones of, which Istio cannot tell apart.
   */
  readonly local: boolean;
  /** Of each workload that it may call over gRPC, one call to try. */
  readonly calls: readonly CallModel[];
  /** Ports over TCP that it may connect to, each once. @default - none */
  readonly connects?: readonly ConnectionModel[];
  /** Annotations by which the proxy of whoever acts in its name gets the Secrets that calls outside the mesh need. Absent: there are none. */
  readonly proxyAnnotations?: Readonly<Record<string, string>>;
  /** Of each workload over plain HTTP that it may call, one request to try. @default - none */
  readonly requests?: readonly RequestModel[];
  /** Ports of its Kubernetes Service. */
  readonly ports: { readonly grpc?: number; readonly http?: number };
  /** Ports of its Kubernetes Service that speak something else over TCP. Absent: it serves gRPC. */
  readonly tcp?: readonly { readonly name: string; readonly port: number }[];
  /** Ports of its Kubernetes Service that take plaintext, too (`MutualTls`). Absent: mutual TLS only. */
  readonly plaintext?: readonly number[];
  /** Where it is a way into the mesh for HTTP: what its callers have to know. */
  readonly edge?: EdgeModel;
}

/** A gRPC call that shows whether its caller gets to a workload, and harms nobody. */
export interface CallModel {
  /** Name of the callee. */
  readonly workload: string;
  readonly namespace: string;
  /** Port of its Kubernetes Service. */
  readonly port: number;
  /** HTTP/2 path: `/shop.catalog.v1.CatalogService/GetProduct`. */
  readonly path: string;
  /**
   * `service` for a method that the proto says has no side effects: the callee answers. `proxy` where the caller may call no
   * such method: the path is of a method that does not exist, and the callee's proxy refuses it with PERMISSION_DENIED, or the
   * service of others does not know it.
   */
  readonly answeredBy: 'service' | 'proxy';
  /** The callee belongs to others. Absent: it is a workload of the mesh. */
  readonly existing?: true;
}

/** A request over plain HTTP that shows whether its caller gets to a workload, and harms nobody. */
export interface RequestModel {
  /** Name of the callee. */
  readonly workload: string;
  readonly namespace: string;
  /** Port of its Kubernetes Service. */
  readonly port: number;
  /** HTTP method: GET, or where the callee's proxy has to refuse it one that nobody is granted. */
  readonly verb: 'GET' | 'TRACE';
  readonly path: string;
  /**
   * `service` for a path that the caller may get: the callee answers, whatever it says. `proxy` where there is none that is no template: the
   * callee's proxy refuses the verb with 403.
   */
  readonly answeredBy: 'service' | 'proxy';
}

/** A port of a workload that serves something else than gRPC. */
export interface ConnectionModel {
  /** Name of the callee. */
  readonly workload: string;
  readonly namespace: string;
  /** What the port is called. */
  readonly name: string;
  /** Port of its Kubernetes Service; of a single pod, that of the container. */
  readonly port: number;
  /** Name of a single pod and its Service, `redis-0.redis-pods`, which is meant. Absent: the callee's Service. */
  readonly pod?: string;
}

/** A Job or CronJob as declared, for those who watch it or call in its name. */
export interface RunModel extends Pick<
  WorkloadModel,
  'name' | 'namespace' | 'placement' | 'calls' | 'connects' | 'requests' | 'proxyAnnotations'
> {
  readonly kind: 'Job' | 'CronJob';
  /** Name of its Kubernetes object: that of a Job has a hash of all that it is. */
  readonly object: string;
  /** Whether no runs of a CronJob begin. */
  readonly suspended?: true;
}

/** A service of others that workloads of the mesh may call. */
export interface ExistingServiceModel {
  /** Of its Kubernetes Service. */
  readonly name: string;
  readonly namespace: string;
  /** Port of its Kubernetes Service that speaks gRPC. */
  readonly port: number;
  /** Clusters that its Kubernetes Service is in, in the mesh's order. */
  readonly clusters: readonly string[];
  readonly callers: readonly {
    /** Path of its construct: `shop/shop/orders`. */
    readonly where: string;
    /** As Istio writes it: `shop.example/ns/shop/sa/orders`. */
    readonly principal: string;
    readonly namespace: string;
    /** Clusters that its pods run in. */
    readonly clusters: readonly string[];
  }[];
}

/** A workload of others that may call workloads of the mesh. */
export interface ExistingCallerModel {
  readonly namespace: string;
  readonly serviceAccount: string;
  /** Paths of the constructs that it may call. */
  readonly callees: readonly string[];
}

/** A request of a method without side effects that needs no token. */
export interface ReadModel {
  /** Name of the workload that answers. */
  readonly workload: string;
  readonly namespace: string;
  /** Its method is GET. */
  readonly path: string;
}

/** A native gRPC call of a method without side effects, with the empty message. */
export interface GrpcReadModel {
  /** Name of the workload that answers. */
  readonly workload: string;
  readonly namespace: string;
  /** HTTP/2 path: `/shop.catalog.v1.CatalogService/GetProduct`. */
  readonly path: string;
  /** Whether it needs a JSON Web Token. */
  readonly token: boolean;
}

/** A GET request for a service over plain HTTP. */
export interface WebReadModel {
  /** Name of the workload that answers. */
  readonly workload: string;
  readonly namespace: string;
  readonly path: string;
  /** Whether it needs a JSON Web Token. */
  readonly token: boolean;
}

/** A way into the mesh for HTTP, by every cluster's ingress gateway. */
export interface EdgeModel {
  /** Hosts it answers for: DNS names, or `*` alone for any. */
  readonly hosts: readonly string[];
  /** Whether it is called by HTTPS. */
  readonly tls: boolean;
  /** Whether everybody may read `/docs` and `/openapi.json`. */
  readonly openapi: boolean;
  /**
   * A GET request to try, which works without arguments where one does; else the path's variables are in capitals,
   * `/v1/products/ID`. `token`: whether it needs a JSON Web Token. None where nothing is exposed by GET.
   */
  readonly example?: { readonly path: string; readonly token: boolean };
  /** Of each exposed workload one request to try, where it has one that no token, limit or fault stands before. */
  readonly reads: readonly ReadModel[];
  /** Calls to try where native gRPC clients may call, of each exposed workload one with and one without a token. Absent: they may not. */
  readonly grpc?: readonly GrpcReadModel[];
  /** Requests to try, of each exposed service over plain HTTP one with and one without a token. Absent: it exposes none. */
  readonly web?: readonly WebReadModel[];
}

/** One of a cluster's control planes. */
export interface ControlPlaneModel {
  /** Value of Istio's label `istio.io/rev`; `default` for the one without a revision. */
  readonly revision: string;
  /** Name of its Deployment and Service. */
  readonly name: string;
  readonly hub: string;
  readonly tag: string;
}

/** A gateway's Kubernetes Service. */
export interface GatewayModel {
  readonly namespace: string;
  readonly name: string;
  /** The port that traffic comes in by. */
  readonly port: number;
  /** By cluster: where it is reached, when the Service's status does not tell (node ports). */
  readonly given: Readonly<Record<string, GivenAddress>>;
}

/** A declared address of a gateway; at least one IP or host name. */
export interface GivenAddress {
  readonly addresses: readonly string[];
  readonly port: number;
}

/** A gateway of others that edges join. */
export interface JoinedGateway {
  readonly namespace: string;
  /** Of its pods: the identity that edges take requests from. */
  readonly serviceAccount: string;
  /** Labels that Istio Gateways select its pods by. */
  readonly selector: Readonly<Record<string, string>>;
  /** Name of its Kubernetes Service. */
  readonly service: string;
}

/**
 * What a mesh on an Istio of others needs of the mesh configuration, which only its owners can change: the paths that policies look
 * at (`pathNormalization`), the namespaces that istiod watches (`discoverySelectors`), a provider for access logs (`envoy`) and, with
 * `tracing`, the one for traces (`otel-collector`).
 */
export type MeshNeed = 'trustDomain' | 'discoverySelectors' | 'pathNormalization' | 'accessLog' | 'tracing';

/** The Istio of others that a mesh runs on. */
export interface ExistingIstioModel {
  /** Value of `istio.io/rev`, a revision or a tag; `default` where there is none. */
  readonly revision: string;
  /** Istio's root namespace. */
  readonly rootNamespace: string;
  /** Whether Istio's CNI agent prepares the pods' networks; else an init container does, which `restricted` refuses. */
  readonly cni: boolean;
  /** Namespace of the gateways between networks, where it is declared. */
  readonly eastWestNamespace?: string;
  /** The gateways of theirs that edges join. Absent: edges have an ingress gateway of the mesh's own. */
  readonly ingress?: JoinedGateway;
  /** Namespaces that exist already and are never written, in the order they were declared. */
  readonly sharedNamespaces: readonly string[];
  readonly needs: readonly MeshNeed[];
}

/** A declared mesh as plain data: what the drivers, the lab and the commands read. Made by `Mesh.model()`. */
export interface MeshModel {
  readonly name: string;
  readonly trustDomain: string;
  readonly clusters: readonly {
    readonly name: string;
    readonly network: string;
    readonly region: string;
    /** The first of its zones: that of the node in the lab. */
    readonly zone: string;
    /** One, or while the cluster is upgraded several side by side; none on an Istio of others. */
    readonly controlPlanes: readonly ControlPlaneModel[];
  }[];
  /** Istio's root namespace. */
  readonly controlPlane: { readonly namespace: string };
  /** Theirs, where edges join gateways of others. Absent on an Istio of others, when the mesh has no edge. */
  readonly ingress?: GatewayModel;
  /** Absent on an Istio of others. */
  readonly eastWest?: GatewayModel;
  /** The Istio of others that the mesh runs on. Absent: the mesh installs its own. */
  readonly existing?: ExistingIstioModel;
  /** Application namespaces, in the order they were declared, shared ones too. */
  readonly namespaces: readonly string[];
  readonly workloads: readonly WorkloadModel[];
  /** Jobs and CronJobs, in the order they were declared. @default - none */
  readonly runs?: readonly RunModel[];
  /** Services of others that its workloads may call. @default - none */
  readonly existingServices?: readonly ExistingServiceModel[];
  /** Workloads of others that may call its workloads. @default - none */
  readonly existingCallers?: readonly ExistingCallerModel[];
  /** Every built app's image as dist/ refers to it, ordered by app. */
  readonly images: readonly { readonly app: string; readonly reference: string }[];
  /** References of the images of workloads that are built elsewhere, ordered. @default - none */
  readonly foreignImages?: readonly string[];
  /** Where the images of the control plane and the proxies come from. Absent on an Istio of others. */
  readonly istio?: { readonly hub: string; readonly tag: string };
}
