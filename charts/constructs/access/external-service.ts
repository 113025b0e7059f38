import { unknownKeys } from '../../../core/keys.ts';
import type { Problem } from '../../../core/problem.ts';
import { given, MeshConstruct, Namespace, refuseScope } from '../scope/mesh-construct.ts';
import type { Mesh } from '../scope/mesh-construct.ts';
import type { Projection } from '../scope/projection.ts';
import { exportTo } from '../scope/visibility.ts';
import { externalPorts, type ExternalCallee, type ExternalPort } from './external-port.ts';
import { givenPorts, propKeys, type ExternalServiceProps } from './external-props.ts';
import { externalProblems } from './external-rules.ts';
import { tlsSettings } from './external-tls.ts';

const aloneFix = 'declare it, and the services that call it, in a namespace that the mesh has alone';

/** A workload that calls one. */
interface ExternalCaller {
  readonly namespace: { readonly name: string };
}

/**
 * A host outside the mesh that declared callers may reach, by `callsExternal`: all its ports, or some of them. To everybody else it
 * stays unknown: a proxy sends nothing to hosts it does not know (`outboundTrafficPolicy: REGISTRY_ONLY`).
 *
 * Renders a ServiceEntry (https://istio.io/latest/docs/reference/config/networking/service-entry/), exported to its own
 * namespace and its callers', and a DestinationRule where the callers' proxies encrypt. Callers find the host by DNS as anywhere, also where
 * `addresses` are given: of GRPC, HTTP and TLS, the proxy then goes there for the name the caller used, whatever the name resolved to.
 * TCP has no name in it: such calls are known by the `addresses`, or without them by the port alone.
 *
 * On an Istio of others, neither it nor a caller may be in a shared namespace: the calls of others there would go through it, too.
 */
export class ExternalService<C extends string, P extends string = never>
  extends MeshConstruct<C>
  implements ExternalCallee<C>
{
  readonly mesh: Mesh<C>;
  readonly namespace: Namespace<C>;
  readonly name: string;
  readonly host: string;
  /** Its ports by name, as values for `callsExternal`; of one that is given without a name, see the service itself. */
  readonly port: Readonly<Record<P, ExternalPort<C>>>;
  readonly addresses: readonly string[] | undefined;
  /** Its properties as they were given. */
  readonly #props: unknown;
  readonly #callers = new Set<ExternalCaller>();

  constructor(scope: Namespace<C>, name: string, props: ExternalServiceProps<P>) {
    super(scope, name);
    refuseScope(scope instanceof Namespace, this.where, scope, 'a namespace of the mesh');
    const { host, addresses } = given(props);
    this.#props = props;
    this.mesh = scope.mesh;
    this.namespace = scope;
    this.name = name;
    this.host = host;
    this.port = externalPorts<P, C>(this, givenPorts(props));
    this.addresses = addresses;
  }

  /** All its ports, in the order they were given. */
  get allPorts(): readonly ExternalPort<C>[] {
    return Object.values(this.port);
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
      ...externalProblems(this, this.#props, siblings),
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
    const { name, namespace, host, addresses, allPorts } = this;
    const metadata = { name, namespace: namespace.name };
    const callers = [...this.#callers].map((caller) => caller.namespace.name);
    const exported = exportTo(namespace.name, callers);
    const portLevelSettings = [...tlsSettings(host, allPorts)];
    if (portLevelSettings.length > 0) {
      // A stage before the host is known: no call leaves before it is said how it is encrypted.
      const spec = { host, trafficPolicy: { portLevelSettings }, exportTo: exported };
      into.addIstio('30-mesh', this.where, 'DestinationRule', metadata, spec);
    }
    const overTcp = allPorts.some(({ props }) => props.protocol === 'TCP');
    into.addIstio('40-services', this.where, 'ServiceEntry', metadata, {
      hosts: [host],
      // What callers connect to, where that is all a proxy can know the host by.
      ...(overTcp && addresses !== undefined ? { addresses: [...addresses] } : {}),
      location: 'MESH_EXTERNAL',
      ports: allPorts.map(({ portName, props: { port, protocol, targetPort } }) => ({
        ...{ number: port, name: portName, protocol },
        ...(targetPort === undefined ? {} : { targetPort }),
      })),
      ...(addresses === undefined
        ? { resolution: 'DNS' as const }
        : { resolution: 'STATIC' as const, endpoints: addresses.map((address) => ({ address })) }),
      exportTo: exported,
    });
  }
}
