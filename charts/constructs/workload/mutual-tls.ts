import { own } from '../../../core/own.ts';
import { keysOf, unknownKeys } from '../../../core/keys.ts';
import { acceptedBy } from '../../gates/rules/rule.ts';
import { nearest } from '../../../core/names.ts';
import type { Problem } from '../../../core/problem.ts';
import { given, MeshConstruct, Namespace } from '../scope/mesh-construct.ts';
import type { Mesh } from '../scope/mesh-construct.ts';
import { isExisting } from '../scope/platform.ts';
import type { Projection } from '../scope/projection.ts';
import { namedPorts, servedPorts } from './service-ports.ts';
import { Workload } from './workload.ts';

/**
 * What a workload's proxy takes: mutual TLS only, or plaintext as well.
 * Istio's third mode, DISABLE, is not offered: with it callers of the mesh send plaintext, too, and so lose the
 * identity that every grant goes by.
 */
export type MutualTlsMode = 'STRICT' | 'PERMISSIVE';

/** Properties of {@link MutualTls} for a namespace. */
export interface MutualTlsProps {
  readonly mode: MutualTlsMode;
}

/** Properties of {@link MutualTls} for a service. */
export interface ServiceMutualTlsProps<P extends string = 'grpc' | 'http'> extends MutualTlsProps {
  /** Ports of the service's pods that differ, by name or number: `{ http: 'PERMISSIVE' }`. @default - none */
  readonly ports?: Readonly<Partial<Record<P | `${number}`, MutualTlsMode>>>;
}

const propKeys = keysOf<ServiceMutualTlsProps>({ mode: true, ports: true });
const modes: readonly string[] = ['STRICT', 'PERMISSIVE'] satisfies readonly MutualTlsMode[];

/**
 * Mutual TLS for a namespace, or for a service and its ports, where that differs from the mesh, which is STRICT
 * (https://istio.io/latest/docs/reference/config/security/peer_authentication/). The narrowest one holds: port, service,
 * namespace, mesh. Calls within the mesh are encrypted in both modes.
 *
 * PERMISSIVE opens nothing by itself: a caller without a certificate has no identity, so that no grant lets it through.
 * It gets PERMISSION_DENIED in the place of a broken connection.
 */
export class MutualTls<C extends string, P extends string = 'grpc' | 'http'> extends MeshConstruct<C> {
  readonly mesh: Mesh<C>;
  readonly #scope: Namespace<C> | Workload<C>;
  readonly #props: ServiceMutualTlsProps<P>;

  // Of a TcpService, by the names that its ports have.
  constructor(
    scope: Workload<C> & { readonly port: Readonly<Record<P, unknown>> },
    id: string,
    props: ServiceMutualTlsProps<P>,
  );
  constructor(scope: Workload<C> & { readonly port?: never }, id: string, props: ServiceMutualTlsProps);
  // A workload would pass for a namespace by its shape.
  constructor(scope: Namespace<C> & { readonly app?: never }, id: string, props: MutualTlsProps);
  constructor(scope: Namespace<C> | Workload<C>, id: string, props: ServiceMutualTlsProps<P>) {
    super(scope, id);
    this.mesh = scope.mesh;
    this.#scope = scope;
    this.#props = props;
  }

  override problems(): readonly Problem[] {
    const scope: unknown = this.#scope;
    // Plain JavaScript may put it anywhere.
    if (!(scope instanceof Namespace || scope instanceof Workload)) {
      const what = 'MutualTls applies to a namespace or a service; the mesh itself is STRICT';
      return [{ where: this.where, what, fix: 'pass one of them as its scope' }];
    }
    const { mode, ports = {} } = given(this.#props);
    const modesGiven: readonly [string, unknown][] = [
      ['mode', mode],
      ...Object.entries(ports).map(([port, value]): [string, unknown] => [`ports.${port}`, value]),
    ];
    const first = this.#scope.node.children.find((part) => part instanceof MutualTls);
    return [
      ...unknownKeys(this.where, this.#props, propKeys),
      ...(first === this
        ? []
        : [
            {
              where: this.where,
              what: `${this.#scope.where} already has one, and Istio would apply only the older`,
              received: this.node.id,
              fix: 'keep one',
            },
          ]),
      ...modesGiven.flatMap(([key, value]) => modeProblems(`${this.where}: ${key}`, value)),
      ...this.#portProblems(),
    ];
  }

  get mode(): MutualTlsMode {
    return this.#props.mode;
  }

  /** What excepts an object of this mode from the rule that mutual TLS is strict. */
  get acceptance(): { readonly annotations?: Readonly<Record<string, string>> } {
    return this.#acceptance([this.mode]);
  }

  override project(into: Projection): void {
    const { mode } = this;
    const scope = this.#scope;
    if (scope instanceof Namespace) {
      // For pods of the mesh alone (existing-defaults.ts).
      if (isExisting(this.mesh.platform)) return;
      into.addIstio(
        '30-mesh',
        this.where,
        'PeerAuthentication',
        { name: 'mutual-tls', namespace: scope.name, ...this.#acceptance([mode]) },
        { mtls: { mode } },
      );
      return;
    }
    const ports: Record<string, { mode: MutualTlsMode }> = {};
    for (const [port, value] of Object.entries(this.#portModes())) ports[port] = { mode: value };
    into.addIstio(
      '40-services',
      this.where,
      'PeerAuthentication',
      // Beside that of the namespace, whatever the service is called.
      {
        name: `${scope.name}-mutual-tls`,
        namespace: scope.namespace.name,
        app: scope.name,
        ...this.#acceptance([mode, ...Object.values(ports).map((port) => port.mode)]),
      },
      {
        selector: { matchLabels: scope.podLabels },
        mtls: { mode },
        ...(Object.keys(ports).length === 0 ? {} : { portLevelMtls: ports }),
      },
    );
  }

  /** Mode of a port of its service, by number. */
  modeOf(port: number): MutualTlsMode {
    return own(this.#portModes(), String(port)) ?? this.mode;
  }

  /** A declared exception from the rule that mutual TLS is strict, for the gates and Pulumi's policy pack. */
  #acceptance(all: readonly MutualTlsMode[]): { readonly annotations?: Readonly<Record<string, string>> } {
    if (all.every((mode) => mode === 'STRICT')) return {};
    return { annotations: { [acceptedBy('strict-mutual-tls')]: `declared by the MutualTls ${this.where}` } };
  }

  /** Modes by number of the pod's port. */
  #portModes(): Readonly<Record<string, MutualTlsMode>> {
    const { ports = {} } = given(this.#props);
    const scope = this.#scope;
    const known: Readonly<Record<string, number>> =
      scope instanceof Namespace ? {} : namedPorts(scope.containerPorts, scope.config);
    return Object.fromEntries(
      Object.entries(ports).map(([port, mode]) => [String(own(known, port) ?? port), mode]),
    ) as Record<string, MutualTlsMode>;
  }

  #portProblems(): Problem[] {
    const { ports } = given(this.#props);
    const scope = this.#scope;
    if (ports === undefined) return [];
    if (scope instanceof Namespace) {
      return [
        {
          where: `${this.where}: ports`,
          what: 'ports apply only to a service: Istio ignores them for a namespace',
          received: ports,
          fix: 'declare it on the service',
        },
      ];
    }
    // A wrong config.yml has its own problems.
    if (!scope.isSound) return [];
    const known = namedPorts(scope.containerPorts, scope.config);
    const names = Object.keys(known);
    const numbers = Object.values(known).map(String);
    return Object.keys(ports).flatMap((port, index, all): Problem[] => {
      const where = `${this.where}: ports.${port}`;
      const number = numbers[names.indexOf(port)] ?? port;
      if (!numbers.includes(number)) {
        const near = nearest(port, names);
        return [
          {
            where,
            what: `${scope.where} has no such port`,
            received: port,
            allowed: [...names, ...numbers].join(', '),
            ...(near === undefined ? {} : { fix: `did you mean ${near}?` }),
          },
        ];
      }
      const before = all.slice(0, index).find((other) => (numbers[names.indexOf(other)] ?? other) === number);
      return before === undefined
        ? []
        : [{ where, what: `is the same port as ${before}`, received: port, fix: 'keep one' }];
    });
  }
}

/** Ports of a workload's Service that take plaintext, by what is declared of it, else of its namespace. */
export function plaintextPorts<C extends string>(workload: Workload<C>): readonly number[] {
  const { node, namespace, containerPorts, config } = workload;
  const declared = [node, namespace.node]
    .flatMap(({ children }) => children)
    .find((part) => part instanceof MutualTls);
  if (declared === undefined) return [];
  const ofService = servedPorts(workload.ports, config);
  return Object.entries(namedPorts(containerPorts, config)).flatMap(([name, port]) => {
    const served = own(ofService, name);
    return served !== undefined && declared.modeOf(port) === 'PERMISSIVE' ? [served] : [];
  });
}

function modeProblems(where: string, mode: unknown): Problem[] {
  if (typeof mode === 'string' && modes.includes(mode)) return [];
  const near = typeof mode === 'string' ? nearest(mode, modes) : undefined;
  const fix =
    mode === 'DISABLE'
      ? 'use PERMISSIVE, which accepts plaintext and still identifies callers in the mesh'
      : near && `did you mean ${near}?`;
  return [
    {
      where,
      what: 'is not a mode of mutual TLS',
      received: mode,
      allowed: modes.join(', '),
      ...(fix === undefined ? {} : { fix }),
    },
  ];
}
