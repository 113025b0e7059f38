import type { Problem } from '../../../core/problem.ts';
import { callProblems, isMethod } from './authorization.ts';
import type { Namespace } from '../scope/mesh-construct.ts';
import type { Caller, Method } from '../scope/method.ts';
import { isPort, type TcpPort } from '../scope/tcp-port.ts';
import { externalCallProblems, httpCallProblems } from './call-rules.ts';
import type { ExternalService } from './external-service.ts';

/** What pods call. */
export class CallRecord {
  /** Methods and ports, in the order they were given; plain JavaScript may have put anything here until the problems were asked for. */
  readonly given: (Method | TcpPort)[] = [];
  /** Over HTTP. */
  readonly http: Method[] = [];
  /** Outside the mesh. */
  readonly external: ExternalService<string>[] = [];

  /** What it calls over gRPC. */
  get grpc(): readonly Method[] {
    return this.given.filter((call) => !isPort(call)) as Method[];
  }

  /** What it calls over TCP. */
  get tcp(): readonly TcpPort[] {
    return this.given.filter(isPort);
  }

  /** Hosts it calls, as a Sidecar names them: `namespace/host`. */
  get hosts(): readonly string[] {
    const callees = [...this.given, ...this.http].map(({ service }) => service);
    return [...callees, ...this.external].map(({ namespace, host }) => `${namespace.name}/${host}`);
  }

  /**
   * What is wrong with what it calls.
   * @param where - path of the caller
   * @param namespace - where it runs
   */
  problems(
    where: string,
    mesh: object,
    namespace: Pick<Namespace<string>, 'name' | 'shared'>,
  ): readonly Problem[] {
    const overHttp = callProblems(where, mesh, this.http, (index) => `callsHttp[${index}]`);
    const ports = [...this.grpc, ...this.http].filter(isMethod).flatMap(({ service }) => {
      // A wrong config.yml has its own problems.
      return service.isSound ? Object.values(service.ports) : [];
    });
    return [
      ...callProblems(where, mesh, this.given, undefined, true),
      ...overHttp,
      ...(overHttp.length > 0 ? [] : httpCallProblems(where, this.http)),
      ...externalCallProblems(where, mesh, this.external, ports, namespace),
    ];
  }
}

/** Who calls a workload: kept with it, so that nobody has to search the mesh for callers. */
export class CallerRecord {
  /** Who calls which of its methods over gRPC. */
  readonly grpc = new Map<Caller, Method[]>();
  /** Who calls which of its methods over HTTP. */
  readonly http = new Map<Caller, Method[]>();
  /** Who calls which of its ports over TCP. */
  readonly tcp = new Map<Caller, TcpPort[]>();

  /** Namespaces of its callers. */
  get namespaces(): readonly string[] {
    const callers = [this.grpc, this.http, this.tcp].flatMap((one) => [...one.keys()]);
    return callers.map(({ namespace }) => namespace.name);
  }

  /** Adds a call to the list of its callers. */
  note(caller: Caller, call: Method | TcpPort): void {
    if (isPort(call)) note(this.tcp, caller, call);
    else note(this.grpc, caller, call);
  }

  /** Adds a call over HTTP. */
  noteHttp(caller: Caller, method: Method): void {
    note(this.http, caller, method);
  }
}

function note<T>(callers: Map<Caller, T[]>, caller: Caller, call: T): void {
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

/** The same of a method that is called over HTTP. */
export function tellHttpCallee(caller: Caller, call: unknown): void {
  if (!isMethod(call)) return;
  const { service }: { readonly service: Partial<Method['service']> } = call;
  service.noteHttpCaller?.(caller, call);
}
