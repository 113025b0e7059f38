import type { Problem } from '../../../core/problem.ts';
import { callProblems, isMethod } from './authorization.ts';
import type { Namespace } from '../scope/mesh-construct.ts';
import type { Caller, Method } from '../scope/method.ts';
import { isPort, type TcpPort } from '../scope/tcp-port.ts';
import { httpCallProblems } from './call-rules.ts';
import type { Egress, EgressPort } from './egress.ts';
import { calledPorts, externalCallProblems, externalEgress, type ExternalCall } from './external-calls.ts';
import { proxySecrets } from './external-tls.ts';

/** Whose calls are recorded. */
interface RecordedCaller {
  readonly where: string;
  readonly mesh: object;
  readonly namespace: Pick<Namespace<string>, 'name' | 'shared'>;
}

/** What a workload calls, and who calls it: kept with each, so that nobody has to search the mesh for callers. */
export class CallRecord {
  /** Methods and ports, in the order they were given; plain JavaScript may have put anything here until the problems were asked for. */
  readonly given: (Method | TcpPort)[] = [];
  /** Over HTTP. */
  readonly http: Method[] = [];
  /** Outside the mesh. */
  readonly external: ExternalCall[] = [];
  /** Who calls which of its methods over gRPC. */
  readonly grpcCallers = new Map<Caller, Method[]>();
  /** Who calls which of its methods over HTTP. */
  readonly httpCallers = new Map<Caller, Method[]>();
  /** Who calls which of its ports over TCP. */
  readonly tcpCallers = new Map<Caller, TcpPort[]>();

  /** What it calls over gRPC. */
  get grpc(): readonly Method[] {
    return this.given.filter((call) => !isPort(call)) as Method[];
  }

  /** What it calls over TCP. */
  get tcp(): readonly TcpPort[] {
    return this.given.filter(isPort);
  }

  /** Namespaces of its callers. */
  get callerNamespaces(): readonly string[] {
    const callers = [this.grpcCallers, this.httpCallers, this.tcpCallers].flatMap((one) => [...one.keys()]);
    return callers.map(({ namespace }) => namespace.name);
  }

  /** Hosts it calls; only once everything that it calls is right. */
  get egress(): readonly Egress[] {
    const methods = [...this.grpc, ...this.http].map(({ service }) => ({
      host: `${service.namespace.name}/${service.host}`,
      ports: listenersOf(service),
    }));
    const ports = this.tcp.map(({ service, portName }) => ({
      host: `${service.namespace.name}/${service.host}`,
      ports: [{ number: service.servicePort(portName), kind: 'TCP' as const, clustered: true }],
    }));
    return [...methods, ...ports, ...externalEgress(this.external)];
  }

  /** Adds a call to the list of its callers. */
  note(caller: Caller, call: Method | TcpPort): void {
    if (isPort(call)) noteCaller(this.tcpCallers, caller, call);
    else noteCaller(this.grpcCallers, caller, call);
  }

  /** Adds calls outside the mesh, and tells the hosts who calls them; plain JavaScript may pass anything for one. */
  callExternal(caller: Pick<Caller, 'namespace'>, called: readonly ExternalCall[]): void {
    this.external.push(...called);
    for (const { service } of calledPorts(called)) service.noteCaller(caller);
  }

  /** Annotations of its pods by which its proxy gets the Secrets that calls outside the mesh need. */
  get proxyAnnotations(): Readonly<Record<string, string>> {
    return proxySecrets(calledPorts(this.external));
  }

  /**
   * What is wrong with what it calls.
   * @param caller - whose record it is
   * @param others - what its proxy leads it to beside that
   */
  problems({ where, mesh, namespace }: RecordedCaller, others: readonly Egress[]): readonly Problem[] {
    const overHttp = callProblems(where, mesh, this.http, (index) => `callsHttp[${index}]`);
    const ports = [...this.grpc, ...this.http].filter(isMethod).flatMap(({ service }) => {
      // A wrong config.yml has its own problems.
      return service.isSound ? listenersOf(service) : [];
    });
    return [
      ...callProblems(where, mesh, this.given, undefined, true),
      ...overHttp,
      ...(overHttp.length > 0 ? [] : httpCallProblems(where, this.http)),
      ...externalCallProblems(
        where,
        mesh,
        this.external,
        [...ports, ...others.flatMap((other) => other.ports)],
        namespace,
      ),
    ];
  }
}

/** What a proxy listens on for a service of the mesh over gRPC, and by HTTP. */
function listenersOf({ ports }: Pick<Method['service'], 'ports'>): readonly EgressPort[] {
  return Object.values(ports).map((number) => ({ number, kind: 'HTTP' }));
}

/** Adds a call to a callee's list of its callers. */
export function noteCaller<T>(callers: Map<Caller, T[]>, caller: Caller, call: T): void {
  const called = callers.get(caller);
  if (called === undefined) callers.set(caller, [call]);
  else called.push(call);
}

/** Tells the callee of a method or a port who calls it; plain JavaScript may pass anything for one. */
export function tellCallee(caller: Caller, call: unknown): void {
  if (isPort(call)) call.service.noteCaller(caller, call);
  if (!isMethod(call)) return;
  const { service }: { readonly service: Partial<Method['service']> } = call;
  service.noteCaller?.(caller, call);
}
