import type { DescService } from '@bufbuild/protobuf';
import type { ContainerConfig } from '../../../apps/config/app-config.ts';
import { keysOf, unknownKeys } from '../../../core/keys.ts';
import type { Problem } from '../../../core/problem.ts';
import type { ExistingServiceModel } from '../../model/mesh-model.ts';
import { given, MeshConstruct, type Mesh } from '../scope/mesh-construct.ts';
import { methodsOf, type Callee, type Caller, type Method, type Methods } from '../scope/method.ts';
import { isService, noService } from '../workload/descriptor.ts';
import { refuseOutsideMesh, serviceProblems } from './existing-rules.ts';

/** Properties of an {@link existingService}. */
export interface ExistingServiceProps<S extends DescService, C extends string> {
  /** Namespace of its Kubernetes Service, the same in every cluster. */
  readonly namespace: string;
  /** Name of its Kubernetes Service, the same in every cluster. */
  readonly name: string;
  /** Descriptor of the proto service it serves, generated from its proto. */
  readonly service: S;
  /** Port of the Kubernetes Service that speaks gRPC in plaintext (the proxies add mutual TLS). @default 50051 */
  readonly port?: number;
  /**
   * Clusters that the Kubernetes Service is in. Its name resolves nowhere else: a caller has to run in these clusters only.
   * @default - every cluster of the mesh
   */
  readonly placement?: readonly NoInfer<C>[];
}

const propKeys = keysOf<ExistingServiceProps<DescService, string>>({
  namespace: true,
  name: true,
  service: true,
  port: true,
  placement: true,
});

/** The port that gRPC's own examples listen on. */
const usualPort = 50051;

/**
 * A gRPC service that runs in the clusters already and belongs to others. See {@link existingService}, which makes one.
 */
export class ExistingService<S extends DescService, C extends string>
  extends MeshConstruct<C>
  implements Callee<C>
{
  readonly mesh: Mesh<C>;
  readonly namespace: { readonly name: string };
  readonly name: string;
  /** Descriptor of the proto service it serves. */
  readonly service: S;
  /** Its methods, as values for whatever refers to one. */
  readonly method: Methods<S, C>;
  /** Clusters that its Kubernetes Service is in, in the mesh's order. */
  readonly clusters: readonly C[];
  readonly configName = 'its declaration';
  readonly isSound = true;
  readonly hasHttpGateway = false;
  readonly isExisting = true;
  readonly ports: ContainerConfig['ports'];
  /** Its properties as they were given. */
  readonly #props: unknown;
  readonly #callers = new Set<Caller>();

  constructor(mesh: Mesh<C>, declared: ExistingServiceProps<S, C>) {
    const props = given(declared);
    const { namespace, name, service, port = usualPort, placement } = props;
    refuseOutsideMesh('existingService', mesh);
    super(mesh, `existingService(${namespace}/${name})`);
    this.mesh = mesh;
    this.#props = declared;
    this.namespace = { name: namespace };
    this.name = name;
    this.service = isService(service) ? service : ({ ...noService } as unknown as S);
    this.ports = { grpc: port };
    const all = mesh.clusters.map((cluster) => cluster.name);
    this.clusters = Array.isArray(placement) ? all.filter((cluster) => placement.includes(cluster)) : all;
    this.method = methodsOf<S, C>(this, this.service);
  }

  /** Host name of its Service, the same in every cluster. */
  get host(): string {
    return `${this.name}.${this.namespace.name}.svc.cluster.local`;
  }

  /** Its methods in the order of the proto. */
  get methods(): readonly Method<DescService['methods'][number]['methodKind'], C>[] {
    return Object.values<Method<DescService['methods'][number]['methodKind'], C>>(this.method);
  }

  get served(): readonly DescService[] {
    return [this.service];
  }

  /** Called by `calls`: whoever calls it has to find it. */
  noteCaller(caller: Caller): void {
    this.#callers.add(caller);
  }

  /** It as plain data. */
  get model(): ExistingServiceModel {
    const { name, clusters, ports } = this;
    const callers = [...this.#callers].map(({ where, principal, namespace, clusters: from }) => {
      return { where, principal, namespace: namespace.name, clusters: from };
    });
    return { name, namespace: this.namespace.name, port: ports.grpc ?? usualPort, clusters, callers };
  }

  override problems(): readonly Problem[] {
    return [
      ...unknownKeys(this.where, this.#props, propKeys),
      ...serviceProblems(this, this.#props, [...this.#callers]),
    ];
  }

  /** It is read and never written. */
  override project(): void {
    // Nothing of it is ours.
  }
}

/**
 * Declares a gRPC service that runs in the clusters already and belongs to others, so that services of the mesh may call it
 * by the same typed methods as each other: `orders.calls(ledger.method.getEntry)`, and an HttpEdge may expose it. It is read and
 * never written: nothing of it is rendered, and nothing in its namespace unless that is one of the mesh. Who may call it is for
 * its owners' AuthorizationPolicies to say; docs/constructs.md shows one.
 *
 * With an Istio of the mesh's own, its namespace is one of the mesh: istiod sees no other.
 */
export function existingService<S extends DescService, C extends string>(
  mesh: Mesh<C>,
  props: ExistingServiceProps<S, C>,
): ExistingService<S, C> {
  return new ExistingService(mesh, props);
}
