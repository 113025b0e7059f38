import type { DescMethod, DescService } from '@bufbuild/protobuf';
import type { k8s } from 'cdk8s-plus-28';
import { isForeign, type ContainerConfig } from '../../../apps/config/app-config.ts';
import { metricsPorts } from '../../../apps/config/ports.ts';
import { own } from '../../../core/own.ts';
import { imageAt } from '../../../core/image-reference.ts';
import type { Problem } from '../../../core/problem.ts';
import type { Grant } from '../access/authorization.ts';
import { httpOperations } from '../http/http-paths.ts';
import { appContainer } from './container.ts';
import { GatewayDescriptors } from '../http/gateway-descriptors.ts';
import { claimVariables, httpGatewayApp, upstreams } from '../http/http-transcoding.ts';
import type { DeploymentPlan } from './deployment.ts';
import { isService, noService, servingProblems } from './descriptor.ts';
import { foreignContainer } from './foreign-container.ts';
import { given } from '../scope/mesh-construct.ts';
import type { LoadedApp, Namespace } from '../scope/mesh-construct.ts';
import { methodsOf, unknownMethods } from '../scope/method.ts';
import type { Method, Methods, Only } from '../scope/method.ts';
import { versionLabel } from '../scope/names.ts';
import type { Projection } from '../scope/projection.ts';
import { defaultsOf, type TrafficDefaults } from '../scope/traffic-defaults.ts';
import { callerConnections, type CallerConnections, type Destined } from '../traffic/destination-rule.ts';
import type { TrafficPolicyProps } from '../traffic/props.ts';
import { TrafficPolicy, type TrafficTarget } from '../traffic/traffic-policy.ts';
import { defaultRetries, gatewayRoutes, virtualService } from '../traffic/virtual-service.ts';
import type { AtGateway, NamedRoute, Routed } from '../traffic/virtual-service.ts';
import { routesExportTo } from '../scope/visibility.ts';
import { serviceProblems } from './service-problems.ts';
import type { GrpcServiceProps } from './service-props.ts';
import { deploymentName, versionProblems, type VersionProps } from './versions.ts';
import { hasImage, loadOwn, sourceProblems, unknownProps } from './source.ts';
import { firstVersion } from './workload-props.ts';
import { Workload } from './workload.ts';

export type { AppSource, ContainerProps, GrpcServiceProps, ImageSource } from './service-props.ts';
export type { VersionProps } from './versions.ts';

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
  /** Descriptors of all proto services it is declared with. */
  readonly services: readonly S[];
  /** Its methods, as values for whatever refers to one. With several `services`, {@link methodsOf} has those of each. */
  readonly method: Methods<Only<S>, C>;
  /** Its versions, in the order they were declared. */
  readonly versions: readonly V[];
  /** Its properties as they were given. */
  readonly #props: unknown;
  /** What was given for the descriptors. */
  readonly #given: readonly unknown[];
  #descriptors: GatewayDescriptors | undefined;
  /** What is said of its container in code; nothing where its config.yml says it. */
  readonly #own: LoadedApp | undefined;
  readonly #methods: ReadonlyMap<unknown, Methods<S, C>>;
  readonly #versions: Readonly<Partial<Record<V, VersionProps<C>>>> | undefined;

  constructor(scope: Namespace<C>, name: string, props: GrpcServiceProps<S, C, V>) {
    super(scope, name, props);
    const { service, services, versions } = given(props);
    this.#props = props;
    this.#given = Array.isArray(services) ? services : [service];
    const sound = [...new Set(this.#given)].filter((one): one is S => isService(one));
    const none = { ...noService } as unknown as S;
    this.services = sound.length === 0 ? [none] : sound;
    this.service = sound[0] ?? none;
    this.#versions = versions;
    this.versions = (this.#versions === undefined ? [firstVersion] : Object.keys(this.#versions)) as V[];
    this.#methods = new Map(this.services.map((one) => [one, methodsOf<S, C>(this, one)]));
    this.method = this.methodsOf(this.service);
    const names = this.services.map(({ typeName }) => typeName);
    this.#own = hasImage(props) ? loadOwn(this.where, { name, services: names }, props) : undefined;
  }

  /** The methods of one of its proto services, as values for whatever refers to one. */
  methodsOf<T extends S>(service: T): Methods<T, C> {
    const others = () => unknownMethods(this, this.methods);
    return (this.#methods.get(service) ?? others()) as Methods<T, C>;
  }

  protected override get servedMethods(): readonly DescMethod[] {
    return this.services.flatMap(({ methods }) => methods);
  }

  override get loaded(): LoadedApp {
    return this.#own ?? super.loaded;
  }

  override get apps(): readonly string[] {
    return this.hasHttpGateway === true ? [...super.apps, httpGatewayApp] : super.apps;
  }

  override get containerPorts(): ContainerConfig['ports'] {
    const { httpGateway, ports } = this.config;
    return httpGateway ? { ...ports, ...this.#gatewayPorts } : ports;
  }

  /** Callers over HTTP are let through to the HTTP methods and paths of their methods, on the gateway container's port. */
  protected override get grants(): readonly Grant[] {
    const { http } = this.containerPorts;
    if (http === undefined) return super.grants;
    const { served } = this;
    const overHttp = [...this.callers.httpCallers].map(([{ principal }, methods]) => ({
      principal,
      http: [...new Set(methods)].flatMap(({ descriptor }) => httpOperations(descriptor, served)),
      port: http,
    }));
    return [...super.grants, ...overHttp];
  }

  override problems(): readonly Problem[] {
    const found = [...super.problems(), ...unknownProps(this.where, this.#props)];
    const versions = this.#versions;
    if (versions !== undefined) found.push(...versionProblems(this, versions));
    found.push(...sourceProblems(this.where, this.#props));
    found.push(...servingProblems(this.where, given(this.#props as object)));
    const config = this.soundConfig;
    return config === undefined ? found : [...found, ...this.#serviceProblems(config)];
  }

  /** Its methods in the order of the proto. */
  get methods(): readonly Method[] {
    return [...this.#methods.values()].flatMap((methods) => Object.values<Method>(methods));
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
    const spec = virtualService(this.#routed);
    if (spec === undefined) return;
    const metadata = { name: this.name, namespace: this.namespace.name };
    const exported = routesExportTo(metadata.namespace, this.exportTo, this.callerNamespaces);
    into.addIstio('60-traffic', this.where, 'VirtualService', metadata, { ...spec, exportTo: exported });
  }

  /** Its routes at a gateway that calls it itself, by its policy; none for a service without a port for gRPC. */
  routesAt(gateway: AtGateway): readonly NamedRoute[] {
    const { grpc } = this.ports;
    return grpc === undefined ? [] : gatewayRoutes(this.#routed, grpc, gateway);
  }

  /** What the policy of its traffic says of its callers' connections. */
  get callerConnections(): CallerConnections {
    return callerConnections(this.destined);
  }

  get #routed(): Routed {
    const { host, methods } = this;
    const { grpc, http } = this.ports;
    const ports = grpc === undefined || http === undefined ? [] : [grpc, http];
    const versioned = this.#versions !== undefined;
    const defaults = this.#trafficDefaults;
    const usual = defaultRetries(this.mesh.platform);
    return { host, ports, methods, versioned, policy: this.#policy, defaults, ...usual };
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
    const found = this.node.children.find((part) => part instanceof TrafficPolicy)?.props;
    const { outliers } = this.#trafficDefaults;
    return outliers === undefined ? found : { ...found, outliers: { ...outliers, ...found?.outliers } };
  }

  /** What holds for calls to it of which its policy says nothing. */
  get #trafficDefaults(): TrafficDefaults {
    return defaultsOf(this.mesh.traffic, this.namespace.traffic);
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
        image: image === undefined ? own : imageAt(imageHub, image),
        placement: this.clusters.filter((cluster) => placement?.includes(cluster) ?? true),
        replicas,
        selector: { ...this.podLabels, [versionLabel]: version },
      };
    });
  }

  protected override hasVersions(): boolean {
    return this.#versions !== undefined;
  }

  protected override containers(cluster: string, image: string): k8s.Container[] {
    const { mesh, descriptors } = this;
    const config = this.configIn(cluster);
    const { name, ports, services } = config;
    if (!config.httpGateway) {
      return [
        isForeign(config)
          ? foreignContainer(config, image)
          : appContainer({ name, image, config, ports, cluster }),
      ];
    }
    const gateway = mesh.appConfig(httpGatewayApp);
    const grpc = ports.grpc === undefined ? {} : { grpc: ports.grpc };
    return [
      isForeign(config)
        ? foreignContainer(config, image)
        : appContainer({ name, image, config, ports: grpc, cluster, behindGateway: true }),
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
    return this.services.find(({ typeName }) => typeName === name) ?? declaredIn(this.mesh).get(name);
  }

  #serviceProblems(config: ContainerConfig): readonly Problem[] {
    const gateway = this.mesh.app(httpGatewayApp);
    return serviceProblems(
      {
        ...{ where: this.where, app: this.app, configName: this.configName },
        services: this.#given,
        known: () => declaredIn(this.mesh),
        served: this.served,
        descriptors: this.descriptors,
        ...('config' in gateway && config.httpGateway ? { gatewayPorts: this.#gatewayPorts } : {}),
      },
      config,
    );
  }
}

/** The proto services that the services of a mesh are declared with, and those of the same files, by name. */
function declaredIn(mesh: {
  readonly node: { findAll(): readonly unknown[] };
}): ReadonlyMap<string, DescService> {
  const declared = mesh.node
    .findAll()
    .flatMap((part): DescService[] => (part instanceof GrpcService ? (part.services as DescService[]) : []))
    .filter(({ typeName }) => typeName !== noService.typeName);
  const beside = declared.flatMap(({ file }) => file.services);
  return new Map([...beside, ...declared].map((service) => [service.typeName, service]));
}
