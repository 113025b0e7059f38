import type { DescMethod } from '@bufbuild/protobuf';
import { k8s } from 'cdk8s-plus-28';
import { isForeign, type AnyConfig, type ContainerConfig } from '../../../apps/config/app-config.ts';
import { ProblemsError, type Problem } from '../../../core/problem.ts';
import type { WorkloadModel } from '../../model/mesh-model.ts';
import { allow, isMethod, pathOf, principalOf, type Grant } from '../access/authorization.ts';
import { CallRecord, noteCaller, tellCallee, type Callers } from '../access/call-record.ts';
import { egressTo, type Egress } from '../access/egress.ts';
import type { ExternalCall } from '../access/external-calls.ts';
import { callModels, connectionModels, requestModels } from './call-models.ts';
import type { GatewayDescriptors } from '../http/gateway-descriptors.ts';
import { addDeployment, type DeploymentPlan } from './deployment.ts';
import { given, MeshConstruct, Namespace, refuseScope } from '../scope/mesh-construct.ts';
import type { LoadedApp, Mesh } from '../scope/mesh-construct.ts';
import type { Caller, Method } from '../scope/method.ts';
import { injectsFaults } from '../traffic/effective.ts';
import {
  destinationRule,
  grpcOutliers,
  type Destined,
  type OutlierDetection,
} from '../traffic/destination-rule.ts';
import type { Metadata, Projection } from '../scope/projection.ts';
import type { WorkloadTracing } from '../scope/tracing.ts';
import { workloadTracingProblems } from '../telemetry/tracing.ts';
import { othersCalled } from './others-called.ts';
import type { Callable } from '../scope/callable.ts';
import { exportToAnnotations, exportToCallers } from '../scope/visibility.ts';
import { addTelemetry } from '../telemetry/workload-telemetry.ts';
import { answersOf, deploymentModels, foreignImagesOf } from './model-facts.ts';
import { WorkloadPods } from './pods/pods.ts';
import { servicePorts } from './service-ports.ts';
import { firstVersion, type WorkloadProps } from './workload-props.ts';
import { configProblems, loadFolder, nameProblems, placementProblems } from './workload-rules.ts';

/**
 * Pods behind a Kubernetes Service in the mesh. The pods run only in the clusters of the placement. The Service, the
 * ServiceAccount and the failover policy go into every cluster alike: where the pods do not run, the Service is what
 * gives callers a name to resolve and istiod a host to find the other clusters' endpoints for.
 */
export abstract class Workload<C extends string = string> extends MeshConstruct<C> {
  readonly mesh: Mesh<C>;
  readonly namespace: Namespace<C>;
  /** Name of its Service and ServiceAccount in every cluster, and of its only Deployment. */
  readonly name: string;
  /** Folder with its config.yml; none where what it says stands in code. */
  readonly app: string | undefined;
  /** Clusters its pods run in, in the mesh's order. */
  readonly clusters: readonly C[];
  /** As it was given. */
  readonly #placement: unknown;
  /** Its share of traces; the mesh's where there is none. */
  readonly tracing: WorkloadTracing | undefined;
  readonly isExisting = false;
  readonly #calls = new CallRecord();
  readonly #pods: WorkloadPods;

  constructor(scope: Namespace<C>, name: string, props: WorkloadProps<C>) {
    super(scope, name);
    refuseScope(scope instanceof Namespace, this.where, scope, 'a namespace of the mesh');
    const { app, placement, tracing } = given(props);
    this.mesh = scope.mesh;
    this.namespace = scope;
    this.name = name;
    this.app = app;
    this.tracing = tracing;
    const all = this.mesh.clusters.map((cluster) => cluster.name);
    this.#placement = placement ?? all;
    this.clusters = Array.isArray(placement) ? all.filter((cluster) => placement.includes(cluster)) : all;
    this.#pods = new WorkloadPods(this, given(props));
  }

  /**
   * Grants this workload's identity exactly these methods, ports of services over TCP and routes of those over plain HTTP, in every cluster, and nothing else: its
   * proxy learns of the callees' hosts, and each callee lets it through to them. Without a grant every call is denied.
   */
  calls(...called: readonly Callable<C>[]): void {
    this.#calls.given.push(...called);
    for (const call of called) tellCallee(this, call);
  }

  /** Called by `calls`: grants a caller one of its methods, ports or routes. */
  noteCaller(caller: Caller, call: Callable): void {
    this.#calls.note(caller, call);
  }

  /**
   * The same over HTTP, for callers that speak no gRPC: grants the google.api.http paths of these methods, each with its
   * HTTP method, on the callee's port `http`. Its config.yml has to ask for the HTTP gateway.
   */
  callsHttp(...methods: readonly Method<'unary', C>[]): void {
    for (const method of methods) {
      this.#calls.http.push(method);
      if (isWorkloadMethod(method)) noteCaller(method.service.#calls.httpCallers, this, method);
    }
  }

  /** Lets its proxy reach these hosts outside the mesh, with all their ports or some of them, in every cluster. */
  callsExternal(...called: readonly ExternalCall<C>[]): void {
    this.#calls.callExternal(this, called);
  }

  /** The methods it may call. */
  get calledMethods(): readonly Method[] {
    return this.#calls.grpc;
  }

  /** What selects its pods. */
  get podLabels(): Readonly<Record<string, string>> {
    return this.namespace.podsOf(this.name);
  }

  /** Its identity in every cluster, as Istio writes principals. */
  get principal(): string {
    return principalOf(this.mesh.trustDomain, this.namespace.name, this.name);
  }

  /** Who may call it, and what. */
  protected get grants(): readonly Grant[] {
    const { grpc } = this.containerPorts;
    if (grpc === undefined) return [];
    return [...this.#calls.grpcCallers].map(([caller, called]) => ({
      principal: caller.principal,
      paths: called.map(pathOf),
      port: grpc,
    }));
  }

  /** Who calls which of its methods, ports and routes. */
  protected get callers(): Callers {
    return this.#calls;
  }

  /** Namespaces of those who call it, gateways included. */
  protected get callerNamespaces(): readonly string[] {
    return this.#calls.callerNamespaces;
  }

  /** Who sees its Service and the policy of its traffic. */
  get exportTo(): string[] {
    return exportToCallers(this.mesh, this.namespace.name, this.callerNamespaces);
  }

  /** The methods it serves. */
  protected get servedMethods(): readonly DescMethod[] {
    return [];
  }

  /** Host name of its Service, the same in every cluster. */
  get host(): string {
    return `${this.name}.${this.namespace.name}.svc.cluster.local`;
  }

  /** What its config.yml says, or its properties in its place: sound, or what is wrong with it. */
  get loaded(): LoadedApp {
    return loadFolder(this.mesh, this.where, this.app);
  }

  /** The same. @throws ProblemsError when it is wrong */
  get config(): AnyConfig {
    if ('config' in this.loaded) return this.loaded.config;
    throw new ProblemsError(this.loaded.problems);
  }

  /** The same, if it is right. */
  protected get soundConfig(): AnyConfig | undefined {
    return 'config' in this.loaded ? this.loaded.config : undefined;
  }

  /** Where that stands, for messages. */
  get configName(): string {
    return this.app === undefined ? 'its declaration' : `${this.app}/config.yml`;
  }

  /** Whether all that its pods are made from is right. */
  get isSound(): boolean {
    return 'config' in this.loaded && this.apps.every((app) => 'config' in this.mesh.app(app));
  }

  /** Whether its pods have an HTTP gateway, as far as can be told. */
  get hasHttpGateway(): boolean | undefined {
    return this.soundConfig?.httpGateway;
  }

  /** Folders of every app that has a container in its pods. */
  get apps(): readonly string[] {
    return this.app === undefined ? [] : [this.app];
  }

  /** Ports of its Service. */
  get ports(): ContainerConfig['ports'] {
    const { containerPorts, config } = this;
    const port = isForeign(config) ? config.foreign.servicePort : undefined;
    if (port === undefined) return containerPorts;
    return containerPorts.grpc === undefined ? { http: port } : { ...containerPorts, grpc: port };
  }

  /** Ports of its pods, which policies of their proxies go by. */
  get containerPorts(): ContainerConfig['ports'] {
    return this.config.ports;
  }

  /** What its HTTP gateway reads, if its pods have one. */
  protected get descriptors(): GatewayDescriptors | undefined {
    return undefined;
  }

  /** References of images of its pods that are built elsewhere. */
  get foreignImages(): readonly string[] {
    const own = foreignImagesOf(this.config, this.deployments, this.mesh.platform.imageHub);
    return [...own, ...this.#pods.images(this.config)];
  }

  /** Names of its Deployments, known before its config.yml is. */
  get deploymentNames(): readonly string[] {
    return [this.name];
  }

  /** It as plain data. */
  get model(): WorkloadModel {
    const { name, app, clusters, config, ports } = this;
    const deployments = deploymentModels(this.deployments, (replicas) => this.#pods.replicasIn(replicas));
    return {
      name,
      namespace: this.namespace.name,
      ...(app === undefined || isForeign(config) ? {} : { app }),
      services: config.services,
      placement: clusters,
      deployments,
      ...answersOf(clusters, deployments, this.mesh.clusters, this.destined.policy),
      calls: callModels(this.calledMethods, isFaulty),
      ...connectionModels(this.#calls),
      ...requestModels(this.#calls.routes),
      ports,
    };
  }

  override problems(): readonly Problem[] {
    const mesh = this.mesh.clusters.map((cluster) => cluster.name);
    return [
      ...nameProblems(this),
      ...this.#calls.problems(this, this.#othersCalled),
      ...placementProblems(this.where, this.#placement, mesh),
      ...(this.tracing === undefined
        ? []
        : workloadTracingProblems(this.where, this.tracing, this.mesh.tracing)),
      ...configProblems(this),
      ...this.#pods.problems(this.isSound ? this.containerPorts : undefined, this.hasVersions()),
    ];
  }

  /** Whether each of its versions says its own image and number of pods. */
  protected hasVersions(): boolean {
    return false;
  }

  /** What is said of it in a cluster. */
  protected configIn(cluster: string): AnyConfig {
    return this.#pods.configIn(this.config, cluster);
  }

  override project(into: Projection): void {
    const { name, ports, config } = this;
    const metadata = { name, namespace: this.namespace.name };
    const selector = this.podLabels;
    this.#pods.addAccount(into, config);
    const noted = { ...metadata, annotations: exportToAnnotations(this.exportTo) };
    const spec = { selector, ports: servicePorts(ports, config) };
    into.add('40-services', k8s.KubeService, noted, { spec });
    this.addTraffic(into, metadata);
    const { grants } = this;
    if (grants.length > 0) {
      into.addIstio('40-services', this.where, 'AuthorizationPolicy', metadata, allow(selector, grants));
    }
    const egress = egressTo(selector, [...this.#calls.egress, ...this.#othersCalled]);
    into.addIstio('40-services', this.where, 'Sidecar', metadata, egress);
    const called = this.calledMethods.map(({ descriptor }) => descriptor);
    const telemetry = { where: this.where, platform: this.mesh.platform, tracing: this.tracing };
    addTelemetry(into, metadata, selector, { ...telemetry, served: this.servedMethods, called });
    const { deployments, descriptors } = this;
    const placement = deployments.flatMap((deployment) => deployment.placement);
    descriptors?.addTo(into, metadata, placement);
    this.#pods.addFiles(into, config, placement);
    const volumes = descriptors?.volumesOf(name);
    const cluster = into.cluster.name;
    for (const deployment of deployments) {
      if (!deployment.placement.some((placed) => placed === cluster)) continue;
      const plan = this.#pods.planIn(deployment, config, cluster);
      const { proxyAnnotations } = this.#calls;
      const of = { ...metadata, app: name, volumes, proxyAnnotations, config: this.configIn(cluster) };
      addDeployment(into, plan, { ...of, containers: this.containers(cluster, plan.image) });
    }
  }

  /** What its proxy leads it to beside what it calls. */
  get #othersCalled(): readonly Egress[] {
    return othersCalled(this.soundConfig && this.#pods.egress(this.soundConfig), this.mesh);
  }

  /** Adds how calls to it are spread, and when its pods are taken out of use. */
  protected addTraffic(into: Projection, metadata: Metadata): void {
    const spec = { ...destinationRule(this.destined), exportTo: this.exportTo };
    into.addIstio('60-traffic', this.where, 'DestinationRule', metadata, spec);
  }

  /** Its Deployments: one, unless versions of it run side by side. */
  protected get deployments(): readonly DeploymentPlan<C>[] {
    const { name, config, clusters: placement } = this;
    const image = this.mesh.image(config);
    const selector = this.podLabels;
    return [{ name, version: firstVersion, image, placement, replicas: config.replicas, selector }];
  }

  /** Whether calls of one of its methods are ended or delayed on purpose. */
  injectsFaultsInto(method: Method): boolean {
    return injectsFaults(this.destined.policy, method);
  }

  /** Whether it has a port for HTTP/1.1, as far as its config.yml can be read. */
  get takesHttp(): boolean {
    return this.soundConfig !== undefined && this.ports.http !== undefined;
  }

  /** What takes one of its pods out of use for a while. */
  protected get outliers(): OutlierDetection {
    return grpcOutliers;
  }

  /** What its DestinationRule is made from. */
  protected get destined(): Destined {
    const { host, clusters: placement, outliers } = this;
    return { host, placement, clusters: this.mesh.clusters, outliers, http: this.takesHttp };
  }

  /** The containers of a pod in the given cluster, the app's own from the given image. */
  protected abstract containers(cluster: string, image: string): k8s.Container[];
}

/** Plain JavaScript may pass anything for a method. */
function isWorkloadMethod(value: unknown): value is Method & { readonly service: Workload } {
  return isMethod(value) && value.service instanceof Workload;
}

/** Whether calls of a method are ended or delayed on purpose. */
export function isFaulty(method: Method): boolean {
  return isWorkloadMethod(method) && method.service.injectsFaultsInto(method);
}
