import { keysOf, unknownKeys } from '../../../core/keys.ts';
import type { Problem } from '../../../core/problem.ts';
import { given, MeshConstruct, Namespace, refuseScope } from '../scope/mesh-construct.ts';
import type { Mesh } from '../scope/mesh-construct.ts';
import type { Projection } from '../scope/projection.ts';
import { exportTo } from '../scope/visibility.ts';
import { externalProblems } from './external-rules.ts';

/** Properties of an {@link ExternalService}. */
export interface ExternalServiceProps {
  /** The host name that callers use: fully qualified, one host. */
  readonly host: string;
  /** TCP port of the host. */
  readonly port: number;
  /**
   * What callers speak: GRPC or HTTP in plaintext, so that the proxy sees each call; or TLS, for whatever the caller
   * encrypts by itself (HTTPS, gRPC over TLS), which the proxy tells apart by its SNI.
   */
  readonly protocol: ExternalProtocol;
  /** IP addresses the host is at, the same from every cluster. @default - those its name resolves to */
  readonly addresses?: readonly string[];
}

const propKeys = keysOf<ExternalServiceProps>({ host: true, port: true, protocol: true, addresses: true });

/** What a host outside the mesh speaks. */
export type ExternalProtocol = 'GRPC' | 'HTTP' | 'TLS';

const aloneFix = 'declare it, and the services that call it, in a namespace that the mesh has alone';

/** A workload that calls one. */
interface ExternalCaller {
  readonly namespace: { readonly name: string };
}

/**
 * A service outside the mesh that declared callers may reach, by `callsExternal`. To everybody else it stays unknown: a
 * proxy sends nothing to hosts it does not know (`outboundTrafficPolicy: REGISTRY_ONLY`).
 *
 * Renders a ServiceEntry (https://istio.io/latest/docs/reference/config/networking/service-entry/), exported to its own
 * namespace and its callers'. Callers find the host by DNS as anywhere, also where `addresses` are given: the proxy then
 * goes there for the name the caller used, whatever the name resolved to.
 *
 * On an Istio of others, neither it nor a caller may be in a shared namespace: the calls of others there would go through it, too.
 */
export class ExternalService<C extends string> extends MeshConstruct<C> {
  readonly mesh: Mesh<C>;
  readonly namespace: Namespace<C>;
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly protocol: ExternalProtocol;
  readonly addresses: readonly string[] | undefined;
  /** Its properties as they were given. */
  readonly #props: unknown;
  readonly #callers = new Set<ExternalCaller>();

  constructor(scope: Namespace<C>, name: string, props: ExternalServiceProps) {
    super(scope, name);
    refuseScope(scope instanceof Namespace, this.where, scope, 'a namespace of the mesh');
    const { host, port, protocol, addresses } = given(props);
    this.#props = props;
    this.mesh = scope.mesh;
    this.namespace = scope;
    this.name = name;
    this.host = host;
    this.port = port;
    this.protocol = protocol;
    this.addresses = addresses;
  }

  /** Called by `callsExternal`: the caller's namespace gets to know the host. */
  noteCaller(caller: ExternalCaller): void {
    this.#callers.add(caller);
  }

  override problems(): readonly Problem[] {
    const siblings = this.namespace.node.children.filter((part) => part instanceof ExternalService);
    return [
      ...unknownKeys(this.where, this.#props, propKeys),
      ...this.#sharedProblems(),
      ...externalProblems(this, siblings),
    ];
  }

  /** Istio shows a ServiceEntry to whole namespaces, not to pods. */
  #sharedProblems(): readonly Problem[] {
    const { where, namespace } = this;
    if (!namespace.shared) return [];
    const what =
      'is declared in a shared namespace, where calls of others to its host would go through it, too';
    return [{ where, what, received: namespace.name, fix: aloneFix }];
  }

  override project(into: Projection): void {
    const { name, namespace, host, port, protocol, addresses } = this;
    const callers = [...this.#callers].map((caller) => caller.namespace.name);
    into.addIstio(
      '40-services',
      this.where,
      'ServiceEntry',
      { name, namespace: namespace.name },
      {
        hosts: [host],
        location: 'MESH_EXTERNAL',
        ports: [{ number: port, name: protocol.toLowerCase(), protocol }],
        ...(addresses === undefined
          ? { resolution: 'DNS' }
          : { resolution: 'STATIC', endpoints: addresses.map((address) => ({ address })) }),
        exportTo: exportTo(namespace.name, callers),
      },
    );
  }
}
