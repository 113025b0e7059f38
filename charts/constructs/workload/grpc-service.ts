import type { DescMethod, DescService } from '@bufbuild/protobuf';
import type { k8s } from 'cdk8s-plus-28';
import type { AppConfig } from '../../../apps/config/app-config.ts';
import { metricsPorts } from '../../../apps/config/ports.ts';
import { own } from '../../../core/own.ts';
import { keysOf, unknownKeys } from '../../../core/keys.ts';
import { nearest } from '../../../core/names.ts';
import type { Problem } from '../../../core/problem.ts';
import type { Grant } from '../access/authorization.ts';
import { httpOperations } from '../http/http-paths.ts';
import { appContainer } from './container.ts';
import { GatewayDescriptors } from '../http/gateway-descriptors.ts';
import { claimVariables, httpGatewayApp, upstreams } from '../http/http-transcoding.ts';
import { ruleProblems } from '../http/rule-problems.ts';
import type { DeploymentPlan } from './deployment.ts';
import { descriptorProblems, isService, noService } from './descriptor.ts';
import { given } from '../scope/mesh-construct.ts';
import type { Namespace } from '../scope/mesh-construct.ts';
import { methodsOf } from '../scope/method.ts';
import type { Method, Methods } from '../scope/method.ts';
import { versionLabel } from '../scope/names.ts';
import type { Projection } from '../scope/projection.ts';
import type { Destined } from '../traffic/destination-rule.ts';
import type { TrafficPolicyProps } from '../traffic/props.ts';
import { TrafficPolicy, type TrafficTarget } from '../traffic/traffic-policy.ts';
import { defaultRetries, virtualService } from '../traffic/virtual-service.ts';
import type { WorkloadTracing } from '../scope/tracing.ts';
import { exportTo } from '../scope/visibility.ts';
import { deploymentName, versionImage, versionProblems, type VersionProps } from './versions.ts';
import { firstVersion, Workload } from './workload.ts';

export type { VersionProps } from './versions.ts';

/** Properties of a {@link GrpcService}. */
export interface GrpcServiceProps<S extends DescService, C extends string, V extends string = 'v1'> {
  /** Folder with config.yml, relative to the project root: image, ports, resources, replicas, environment. */
  readonly app: string;
  /** Descriptor of the proto service it serves, generated from proto/. */
  readonly service: S;
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

const propKeys = keysOf<GrpcServiceProps<DescService, string>>({
  app: true,
  service: true,
  placement: true,
  versions: true,
  tracing: true,
});

/**
 * A gRPC service of the mesh. When its config.yml says `httpGateway`, each pod also carries the HTTP gateway, which
 * serves the service's google.api.http paths on the Service's port `http`.
 *
 * All pods carry the label `version`; without `versions` it is `v1`. So when a second version comes, call the one that
 * runs `v1`: what is routed to it finds the pods that are there, until its own Deployment has taken over.
 */
export class GrpcService<S extends DescService, C extends string, V extends string = 'v1'>
  extends Workload<C>
  implements TrafficTarget<S, C, V>
{
  /** Descriptor of the proto service it serves. */
  readonly service: S;
  /** Its methods, as values for whatever refers to one. */
  readonly method: Methods<S, C>;
  /** Its versions, in the order they were declared. */
  readonly versions: readonly V[];
  /** Its properties as they were given. */
  readonly #props: unknown;
  /** What was given for the descriptor. */
  readonly #given: unknown;
  #descriptors: GatewayDescriptors | undefined;
  readonly #versions: Readonly<Partial<Record<V, VersionProps<C>>>> | undefined;

  constructor(scope: Namespace<C>, name: string, props: GrpcServiceProps<S, C, V>) {
    super(scope, name, props);
    const { service, versions } = given(props);
    this.#props = props;
    this.#given = service;
    this.service = isService(service) ? service : ({ ...noService } as unknown as S);
    this.#versions = versions;
    this.versions = (this.#versions === undefined ? [firstVersion] : Object.keys(this.#versions)) as V[];
    this.method = methodsOf<S, C>(this, this.service);
  }

  protected override get servedMethods(): readonly DescMethod[] {
    return this.service.methods;
  }

  override get apps(): readonly string[] {
    return this.soundConfig?.httpGateway === true ? [this.app, httpGatewayApp] : [this.app];
  }

  override get ports(): AppConfig['ports'] {
    const { httpGateway, ports } = this.config;
    return httpGateway ? { ...ports, ...this.#gatewayPorts } : ports;
  }

  /** Callers over HTTP are let through to the HTTP methods and paths of their methods, on the gateway container's port. */
  protected override get grants(): readonly Grant[] {
    const { http } = this.ports;
    if (http === undefined) return super.grants;
    const { served } = this;
    const overHttp = [...this.httpCallers].map(([{ principal }, methods]) => ({
      principal,
      http: [...new Set(methods)].flatMap(({ descriptor }) => httpOperations(descriptor, served)),
      port: http,
    }));
    return [...super.grants, ...overHttp];
  }

  override problems(): readonly Problem[] {
    const found = [...super.problems(), ...unknownKeys(this.where, this.#props, propKeys)];
    const versions = this.#versions;
    if (versions !== undefined) found.push(...versionProblems(this, versions));
    found.push(...descriptorProblems(this.where, this.#given));
    const config = this.soundConfig;
    return config === undefined ? found : [...found, ...this.#serviceProblems(config)];
  }

  /** Its methods in the order of the proto. */
  get methods(): readonly Method[] {
    return Object.values<Method>(this.method);
  }

  override get deploymentNames(): readonly string[] {
    return this.#versions === undefined
      ? super.deploymentNames
      : this.versions.map((version) => deploymentName(this.name, version));
  }

  /** The proto services that its app serves, and so its HTTP gateway, as far as its config.yml can be read. */
  get served(): readonly DescService[] {
    return (this.soundConfig?.services ?? []).flatMap((name) => this.#descriptorOf(name) ?? []);
  }

  protected override get descriptors(): GatewayDescriptors | undefined {
    if (this.soundConfig?.httpGateway !== true) return undefined;
    this.#descriptors ??= new GatewayDescriptors(this.served, this.mesh.comments);
    return this.#descriptors;
  }

  /** Those of its versions that have a pod somewhere, as far as its config.yml can be read. */
  get runningVersions(): readonly V[] {
    const declared: Readonly<Record<string, VersionProps<C> | null | undefined>> = this.#versions ?? {};
    const replicas = this.soundConfig?.replicas ?? 1;
    return this.versions.filter((version) => (own(declared, version)?.replicas ?? replicas) > 0);
  }

  /** Clusters that pods of a version are in; none for one it does not have, or that runs nowhere. */
  versionClusters(version: string): readonly C[] {
    if (!this.runningVersions.some((known) => known === version)) return [];
    const declared: Readonly<Record<string, VersionProps<C> | null | undefined>> = this.#versions ?? {};
    const placement: unknown = own(declared, version)?.placement;
    return this.clusters.filter((cluster) => !Array.isArray(placement) || placement.includes(cluster));
  }

  override project(into: Projection): void {
    super.project(into);
    const { host, methods } = this;
    const { grpc, http } = this.ports;
    const ports = grpc === undefined || http === undefined ? [] : [grpc, http];
    const versioned = this.#versions !== undefined;
    const routed = {
      host,
      ports,
      methods,
      versioned,
      policy: this.#policy,
      ...defaultRetries(this.mesh.platform),
    };
    const spec = virtualService(routed);
    if (spec === undefined) return;
    const metadata = { name: this.name, namespace: this.namespace.name };
    // On an Istio of others, everybody may see the Service: its routes are for its callers alone.
    const everybody = this.exportTo.includes('*');
    const exported = everybody ? exportTo(metadata.namespace, this.callerNamespaces) : this.exportTo;
    into.addIstio('60-traffic', this.where, 'VirtualService', metadata, { ...spec, exportTo: exported });
  }

  protected override get destined(): Destined {
    const policy = this.#policy;
    const routed = this.#versions === undefined ? [] : Object.keys(policy?.weights ?? {});
    const subsets = this.deployments
      .filter(({ version }) => routed.includes(version))
      .map(({ version, placement }) => ({ name: version, placement }));
    return { ...super.destined, subsets, policy };
  }

  get #policy(): TrafficPolicyProps<string, string> | undefined {
    const found = this.node.children.find((part) => part instanceof TrafficPolicy);
    return found?.props;
  }

  protected override get deployments(): readonly DeploymentPlan<C>[] {
    const declared = this.#versions;
    if (declared === undefined) return super.deployments;
    const own = this.mesh.image(this.config);
    const { imageHub } = this.mesh.platform;
    return this.versions.map((version) => {
      const { image, placement, replicas = this.config.replicas } = declared[version] ?? {};
      return {
        name: deploymentName(this.name, version),
        version,
        image: image === undefined ? own : versionImage(imageHub, image),
        placement: this.clusters.filter((cluster) => placement?.includes(cluster) ?? true),
        replicas,
        selector: { ...this.podLabels, [versionLabel]: version },
      };
    });
  }

  protected override containers(cluster: string, image: string): k8s.Container[] {
    const { config, mesh, descriptors } = this;
    const { name, ports, services } = config;
    if (!config.httpGateway) return [appContainer({ name, image, config, ports, cluster })];
    const gateway = mesh.appConfig(httpGatewayApp);
    const grpc = ports.grpc === undefined ? {} : { grpc: ports.grpc };
    return [
      appContainer({ name, image, config, ports: grpc, cluster, behindGateway: true }),
      appContainer({
        name: 'http-gateway',
        image: mesh.image(gateway),
        config: gateway,
        ports: this.#gatewayPorts,
        metricsPort: metricsPorts.httpGateway,
        cluster,
        shutdown: config.shutdown,
        // In the same pod: over the loopback, past the proxy.
        ...(descriptors && { volumeMounts: descriptors.mounts }),
        env: {
          ...descriptors?.env,
          UPSTREAMS: upstreams([{ services, address: `127.0.0.1:${String(ports.grpc)}` }]),
          ...claimVariables([], mesh.claimMetadata),
        },
      }),
    ];
  }

  /** The gateway container listens where this app's config.yml says, or else its own. */
  get #gatewayPorts(): { readonly http?: number } {
    const http = this.config.ports.http ?? this.mesh.appConfig(httpGatewayApp).ports.http;
    return http === undefined ? {} : { http };
  }

  /** The descriptor of a proto service: its own, or one that another service of the mesh is declared with. */
  #descriptorOf(name: string): DescService | undefined {
    return name === this.service.typeName ? this.service : declaredIn(this.mesh).get(name);
  }

  /** Proto services in its config.yml whose descriptors nothing in the mesh has. */
  #unknownServices(names: readonly string[]): readonly Problem[] {
    const unknown = names.filter((name) => this.#descriptorOf(name) === undefined);
    if (unknown.length === 0) return [];
    const known = [...declaredIn(this.mesh).keys()].sort();
    return unknown.map((received) => {
      const near = nearest(received, known);
      return {
        where: `${this.app}/config.yml: services[${names.indexOf(received)}]`,
        what: 'no GrpcService of the mesh is declared with this proto service',
        received,
        allowed: known.join(', '),
        fix: near === undefined ? 'declare one with it, or remove it' : `did you mean ${near}?`,
      };
    });
  }

  #listensNowhere(): boolean {
    const gateway = this.mesh.app(httpGatewayApp);
    return 'config' in gateway && this.#gatewayPorts.http === undefined;
  }

  #serviceProblems(config: AppConfig): readonly Problem[] {
    const { services, httpGateway, ports } = config;
    const problems: Problem[] = [];
    const { where, app } = this;
    const { typeName } = this.service;
    if (isService(this.#given) && !services.includes(typeName)) {
      problems.push({
        where: `${where}: service`,
        what: `${app}/config.yml does not list it in services`,
        received: typeName,
        allowed: services.length === 0 ? 'none, as services is empty' : services.join(', '),
        fix: `pass a service the app serves, or add ${typeName} to services in ${app}/config.yml`,
      });
    } else problems.push(...this.#unknownServices(services));
    if (httpGateway && this.#listensNowhere()) {
      problems.push({
        where: `${where}: app`,
        what: `${app}/config.yml asks for an HTTP gateway, and neither it nor ${httpGatewayApp}/config.yml has ports.http`,
        fix: 'add ports.http, usually 8080',
      });
    }
    if (httpGateway) {
      const methods = this.served.flatMap((service) => service.methods);
      problems.push(...ruleProblems(`${where}: httpGateway`, methods));
      const fewer = 'serve some of its services by an app of their own';
      problems.push(...(this.descriptors?.problems(`${where}: httpGateway`, fewer) ?? []));
    }
    const { http } = httpGateway ? this.#gatewayPorts : {};
    if (http !== undefined && http === ports.grpc) {
      problems.push({
        where: `${where}: app`,
        what: `ports.grpc in ${app}/config.yml is also the port of its HTTP gateway`,
        received: http,
        fix: 'give ports.grpc, or ports.http there, another number',
      });
    }
    return problems;
  }
}

/** The proto services that the services of a mesh are declared with, and those of the same files, by name. */
function declaredIn(mesh: {
  readonly node: { findAll(): readonly unknown[] };
}): ReadonlyMap<string, DescService> {
  const declared = mesh.node
    .findAll()
    .flatMap((part): DescService[] => (part instanceof GrpcService ? [part.service as DescService] : []))
    .filter(({ typeName }) => typeName !== noService.typeName);
  const beside = declared.flatMap(({ file }) => file.services);
  return new Map([...beside, ...declared].map((service) => [service.typeName, service]));
}
