import type { k8s } from 'cdk8s-plus-28';
import { isForeign, parseTcpProps, type TcpPorts } from '../../../apps/config/app-config.ts';
import type { Problem } from '../../../core/problem.ts';
import type { WorkloadModel } from '../../model/mesh-model.ts';
import type { Grant } from '../access/authorization.ts';
import { given, type LoadedApp, type Namespace } from '../scope/mesh-construct.ts';
import type { Caller } from '../scope/method.ts';
import type { Metadata, Projection } from '../scope/projection.ts';
import { portsOf, type TcpCallee, type TcpPort } from '../scope/tcp-port.ts';
import { routesExportTo } from '../scope/visibility.ts';
import { foreignContainer } from '../workload/foreign-container.ts';
import { tcpPorts } from '../workload/service-ports.ts';
import { loadedBy } from '../workload/source.ts';
import { Workload } from '../workload/workload.ts';
import { containerProps, portNames, propProblems, type TcpServiceProps } from './tcp-props.ts';
import { isApart, tcpDestinationRule, tcpRoutes, type TcpDestined } from './tcp-traffic.ts';

export type { TcpPortNumber, TcpServiceProps } from './tcp-props.ts';

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
    this.#loaded = loadedBy(() => parseTcpProps(this.where, name, containerProps(props)));
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

  override problems(): readonly Problem[] {
    return [...super.problems(), ...propProblems(this.where, this.#props), ...this.#callerProblems()];
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
    const routes = tcpRoutes(service);
    if (routes === undefined) return;
    const exported = routesExportTo(this.namespace.name, exportTo, this.callerNamespaces);
    into.addIstio('40-services', where, 'VirtualService', metadata, { ...routes, exportTo: exported });
  }

  protected override containers(cluster: string, image: string): k8s.Container[] {
    const config = this.configIn(cluster);
    return isForeign(config) ? [foreignContainer(config, image)] : [];
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
    // One that has no pods is led to nothing, as one that it is not placed in.
    const running = placement.filter((cluster) => this.configIn(cluster).replicas !== 0);
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

/** Clusters that a caller may run in; of one that belongs to others, nobody says. */
function clustersOf({ clusters }: Caller, all: readonly string[]): readonly string[] {
  return clusters.length === 0 ? all : clusters;
}
