import type { DescMethod } from '@bufbuild/protobuf';
import { k8s } from 'cdk8s-plus-28';
import { isForeign, type ContainerConfig } from '../../../apps/config/app-config.ts';
import type { Problem } from '../../../core/problem.ts';
import type { WorkloadModel } from '../../model/mesh-model.ts';
import { allow, isMethod, pathOf, type Grant } from '../access/authorization.ts';
import { CallerRecord, type Callers } from '../access/caller-record.ts';
import { egressTo } from '../access/egress.ts';
import { callModels, connectionModels, requestModels } from './call-models.ts';
import { CallingPods } from './calling-pods.ts';
import type { GatewayDescriptors } from '../http/gateway-descriptors.ts';
import { addDeployment, type DeploymentPlan } from './deployment.ts';
import type { Caller, Method } from '../scope/method.ts';
import { injectsFaults } from '../traffic/effective.ts';
import {
  destinationRule,
  grpcOutliers,
  type Destined,
  type OutlierDetection,
} from '../traffic/destination-rule.ts';
import type { Metadata, Projection } from '../scope/projection.ts';
import type { Callable } from '../scope/callable.ts';
import { exportToAnnotations, exportToCallers } from '../scope/visibility.ts';
import { addTelemetry } from '../telemetry/workload-telemetry.ts';
import { answersOf, deploymentModels, foreignImagesOf } from './model-facts.ts';
import { servicePorts } from './service-ports.ts';
import { firstVersion } from './workload-props.ts';

/**
 * Pods behind a Kubernetes Service in the mesh. The pods run only in the clusters of the placement. The Service, the
 * ServiceAccount and the failover policy go into every cluster alike: where the pods do not run, the Service is what
 * gives callers a name to resolve and istiod a host to find the other clusters' endpoints for.
 */
export abstract class Workload<C extends string = string> extends CallingPods<C> {
  readonly isExisting = false;
  readonly #callers = new CallerRecord();

  /** Called by `calls`: grants a caller one of its methods, ports or routes. */
  noteCaller(caller: Caller, call: Callable): void {
    this.#callers.note(caller, call);
  }

  /** Called by `callsHttp`: grants a caller one of its methods over HTTP. */
  noteHttpCaller(caller: Caller, method: Method): void {
    this.#callers.noteHttp(caller, method);
  }

  /** Who may call it, and what. */
  protected get grants(): readonly Grant[] {
    const { grpc } = this.containerPorts;
    if (grpc === undefined) return [];
    return [...this.#callers.grpcCallers].map(([caller, called]) => ({
      principal: caller.principal,
      paths: called.map(pathOf),
      port: grpc,
    }));
  }

  /** Who calls which of its methods, ports and routes. */
  protected get callers(): Callers {
    return this.#callers;
  }

  /** Namespaces of those who call it, gateways included. */
  protected get callerNamespaces(): readonly string[] {
    return this.#callers.namespaces;
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

  /** Whether its pods have an HTTP gateway, as far as can be told. */
  get hasHttpGateway(): boolean | undefined {
    return this.soundConfig?.httpGateway;
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

  override get foreignImages(): readonly string[] {
    const own = foreignImagesOf(this.config, this.deployments, this.mesh.platform.imageHub);
    return [...own, ...this.ownPods.images(this.config)];
  }

  /** Names of its Deployments, known before its config.yml is. */
  get deploymentNames(): readonly string[] {
    return [this.name];
  }

  /** It as plain data. */
  get model(): WorkloadModel {
    const { name, app, clusters, config, ports } = this;
    const deployments = deploymentModels(this.deployments, (replicas) => this.ownPods.replicasIn(replicas));
    return {
      name,
      namespace: this.namespace.name,
      ...(app === undefined || isForeign(config) ? {} : { app }),
      services: config.services,
      placement: clusters,
      deployments,
      ...answersOf(clusters, deployments, this.mesh.clusters, this.destined.policy),
      calls: callModels(this.calledMethods, isFaulty),
      ...connectionModels(this.called),
      ...requestModels(this.called.routes),
      ports,
    };
  }

  override problems(): readonly Problem[] {
    return [
      ...super.problems(),
      ...this.ownPods.problems(this.isSound ? this.containerPorts : undefined, this.hasVersions()),
    ];
  }

  /** Whether each of its versions says its own image and number of pods. */
  protected hasVersions(): boolean {
    return false;
  }

  override project(into: Projection): void {
    const { name, ports, config } = this;
    const metadata = { name, namespace: this.namespace.name };
    const selector = this.podLabels;
    this.ownPods.addAccount(into, config);
    const noted = { ...metadata, annotations: exportToAnnotations(this.exportTo) };
    const spec = { selector, ports: servicePorts(ports, config) };
    into.add('40-services', k8s.KubeService, noted, { spec });
    this.addTraffic(into, metadata);
    const { grants } = this;
    if (grants.length > 0) {
      into.addIstio('40-services', this.where, 'AuthorizationPolicy', metadata, allow(selector, grants));
    }
    into.addIstio('40-services', this.where, 'Sidecar', metadata, egressTo(selector, this.egress));
    const called = this.calledMethods.map(({ descriptor }) => descriptor);
    const telemetry = { where: this.where, platform: this.mesh.platform, tracing: this.tracing };
    addTelemetry(into, metadata, selector, { ...telemetry, served: this.servedMethods, called });
    const { deployments, descriptors } = this;
    const placement = deployments.flatMap((deployment) => deployment.placement);
    descriptors?.addTo(into, metadata, placement);
    this.ownPods.addFiles(into, config, placement);
    const volumes = descriptors?.volumesOf(name);
    const cluster = into.cluster.name;
    for (const deployment of deployments) {
      if (!deployment.placement.some((placed) => placed === cluster)) continue;
      const plan = this.ownPods.planIn(deployment, config, cluster);
      const { proxyAnnotations } = this.called;
      const of = { ...metadata, app: name, volumes, proxyAnnotations, config: this.configIn(cluster) };
      addDeployment(into, plan, { ...of, containers: this.containers(cluster, plan.image) });
    }
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
