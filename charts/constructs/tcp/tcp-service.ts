import type { k8s } from 'cdk8s-plus-28';
import { isForeign, parseTcpProps, type TcpPorts } from '../../../apps/config/app-config.ts';
import { tcpKeys } from '../../../apps/config/foreign-schema.ts';
import type { Problem } from '../../../core/problem.ts';
import type { WorkloadModel } from '../../model/mesh-model.ts';
import type { Grant } from '../access/authorization.ts';
import { saidIn } from '../scope/keys-in.ts';
import { given, type LoadedApp, type Namespace } from '../scope/mesh-construct.ts';
import type { Metadata, Projection } from '../scope/projection.ts';
import { portsOf, type TcpCallee, type TcpPort } from '../scope/tcp-port.ts';
import { routesExportTo } from '../scope/visibility.ts';
import type { DeploymentPlan } from '../workload/deployment.ts';
import { foreignContainer } from '../workload/foreign-container.ts';
import { tcpPorts } from '../workload/service-ports.ts';
import { loadedBy } from '../workload/source.ts';
import { withOwnVolumes } from '../workload/pods/stateful-set.ts';
import { Workload } from '../workload/workload.ts';
import { addPodsService, clustersOf, podCallProblems, podsService, statefulOf } from './single-pods.ts';
import { portNames, propProblems, volumeProblems, type TcpServiceProps } from './tcp-props.ts';
import { isApart, tcpDestinationRule, tcpRoutes, type TcpDestined } from './tcp-traffic.ts';

export type { StatefulProps, TcpPortNumber, TcpServiceProps } from './tcp-props.ts';

/**
 * A service that speaks something else than gRPC over TCP: a database, a cache, a broker. It is declared by the reference of its image, and
 * called by port: `cart.calls(redis.port.redis)` lets the identity of `cart` connect to this port, in every cluster, and to nothing else.
 * Around the protocol is mutual TLS.
 *
 * Instances in several clusters have data of their own, unless they are `replicated`: then a caller connects to those of its own cluster
 * alone, and a caller where none is is refused.
 */
export class TcpService<P extends string, C extends string> extends Workload<C> implements TcpCallee<C> {
  /** Its ports, as values for whatever refers to one. */
  readonly port: Readonly<Record<P, TcpPort<C>>>;
  /**
   * The same ports of its single pods, where it is `stateful`: a caller that has one may connect to each pod by its own name,
   * `redis-0.redis-pods.shop.svc.cluster.local`, on the port of the container. Such a name leads to pods of the caller's own cluster alone.
   */
  readonly pods: Readonly<Record<P, TcpPort<C>>>;
  /** Whether its instances in several clusters hold the same data. */
  readonly replicated: boolean;
  /** Its properties as they were given. */
  readonly #props: unknown;
  readonly #loaded: LoadedApp;

  constructor(scope: Namespace<C>, name: string, props: TcpServiceProps<P, C>) {
    const { placement, pod, clusters } = given(props);
    super(scope, name, { placement, pod, clusters });
    this.#props = props;
    this.replicated = given(props).replicated ?? false;
    this.port = portsOf<P, C>(this, portNames(props) as P[]);
    this.pods = portsOf<P, C>(this, portNames(props) as P[], true);
    this.#loaded = loadedBy(() => parseTcpProps(this.where, name, saidIn(props, tcpKeys)));
  }

  override get loaded(): LoadedApp {
    return this.#loaded;
  }

  /** By name, as its policies and its Service have them. */
  get #tcp(): Readonly<Record<string, TcpPorts>> {
    return tcpPorts(this.config);
  }

  /** The port of its Service that has a name. */
  servicePort(name: string): number {
    return this.#tcp[name]?.servicePort ?? 0;
  }

  /** The port of its container that has a name. */
  containerPort(name: string): number {
    return this.#tcp[name]?.port ?? 0;
  }

  /** Host name of the headless Service below which each of its pods has a name; none where they have no names that stay. */
  get podsHost(): string | undefined {
    const { soundConfig: config, name, namespace } = this;
    if (config === undefined || statefulOf(config) === undefined) return undefined;
    return `${podsService(name)}.${namespace.name}.svc.cluster.local`;
  }

  override problems(): readonly Problem[] {
    const { where } = this;
    return [
      ...super.problems(),
      ...propProblems(where, this.#props),
      ...volumeProblems(where, this.#props),
      ...this.#callerProblems(),
      ...(this.soundConfig === undefined
        ? []
        : podCallProblems(this, this.callers.tcpCallers, this.#running)),
    ];
  }

  protected override get deployments(): readonly DeploymentPlan<C>[] {
    const stateful = statefulOf(this.config);
    if (stateful === undefined) return super.deployments;
    const serviceName = podsService(this.name);
    return super.deployments.map((plan) => ({ ...plan, stateful: { ...stateful, serviceName } }));
  }

  override get model(): WorkloadModel {
    const tcp = Object.entries(this.#tcp).map(([name, { servicePort }]) => ({ name, port: servicePort }));
    return { ...super.model, tcp };
  }

  /** Callers are let through to their ports, whatever they send there. */
  protected override get grants(): readonly Grant[] {
    return [...this.callers.tcpCallers].flatMap(([{ principal }, called]) =>
      [...new Set(called.map(({ portName }) => this.#tcp[portName]?.port ?? 0))].map((port) => ({
        principal,
        port,
      })),
    );
  }

  /**
   * Before its pods run: a caller that knows of instances in two clusters, and not yet which of them are its own, would connect to both.
   */
  protected override addTraffic(into: Projection, metadata: Metadata): void {
    const service = this.#destined;
    const { where, exportTo } = this;
    into.addIstio('40-services', where, 'DestinationRule', metadata, {
      ...tcpDestinationRule(service),
      exportTo,
    });
    if (this.podsHost !== undefined && this.#isPlacedIn(into.cluster.name))
      addPodsService(into, metadata, {
        ...{ selector: this.podLabels, exportTo, placement: this.clusters },
        ports: Object.entries(this.#tcp).map(([name, { port }]) => ({ name, port })),
      });
    const routes = tcpRoutes(service);
    if (routes === undefined) return;
    const exported = routesExportTo(this.namespace.name, exportTo, this.callerNamespaces);
    into.addIstio('40-services', where, 'VirtualService', metadata, { ...routes, exportTo: exported });
  }

  protected override containers(cluster: string, image: string): k8s.Container[] {
    const config = this.configIn(cluster);
    if (!isForeign(config)) return [];
    const container = foreignContainer(config, image);
    const { stateful } = config.foreign;
    return [stateful === undefined ? container : withOwnVolumes(container, stateful)];
  }

  #isPlacedIn(cluster: string): boolean {
    return this.clusters.some((placed) => placed === cluster);
  }

  /** Clusters in which it has pods: one that has none is led to nothing, as one that it is not placed in. */
  get #running(): readonly string[] {
    return this.clusters.filter((cluster) => this.configIn(cluster).replicas !== 0);
  }

  get #destined(): TcpDestined {
    const { host, clusters: placement, replicated } = this;
    const ports = Object.values(this.#tcp).map(({ servicePort }) => servicePort);
    return { host, ports, placement, clusters: this.mesh.clusters, replicated };
  }

  /** Callers that have no instance in their cluster would connect to any of those elsewhere, each with data of its own. */
  #callerProblems(): readonly Problem[] {
    const { where, clusters: placement, replicated } = this;
    if (!isApart({ placement, replicated })) return [];
    const all = this.mesh.clusters.map(({ name }) => name);
    const running = this.#running;
    return [...this.callers.tcpCallers.keys()].flatMap((caller): readonly Problem[] => {
      const without = clustersOf(caller, all).filter((cluster) => !running.some((own) => own === cluster));
      if (without.length === 0) return [];
      return [
        {
          where: `${caller.where}: calls`,
          what:
            `connects to ${where}, whose instances have data of their own in each of several clusters, ` +
            'also from clusters that have none',
          received: without,
          allowed: running.join(', '),
          fix:
            `add ${without.join(' and ')} to the placement of ${where}, run the caller only where it is, ` +
            'or say replicated: true if all instances hold the same data',
        },
      ];
    });
  }
}
