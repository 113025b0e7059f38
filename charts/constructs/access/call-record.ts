import type { Problem } from '../../../core/problem.ts';
import { callProblems, isMethod } from './authorization.ts';
import type { Namespace } from '../scope/mesh-construct.ts';
import type { Caller, Method } from '../scope/method.ts';
import { externalCallProblems, httpCallProblems } from './call-rules.ts';
import type { ExternalService } from './external-service.ts';

/** What a workload calls, and who calls it: kept with each, so that nobody has to search the mesh for callers. */
export class CallRecord {
  /** Over gRPC; plain JavaScript may have put anything here until the problems were asked for. */
  readonly grpc: Method[] = [];
  /** Over HTTP. */
  readonly http: Method[] = [];
  /** Outside the mesh. */
  readonly external: ExternalService<string>[] = [];
  /** Who calls which of its methods over gRPC. */
  readonly grpcCallers = new Map<Caller, Method[]>();
  /** Who calls which of its methods over HTTP. */
  readonly httpCallers = new Map<Caller, Method[]>();

  /** Namespaces of its callers. */
  get callerNamespaces(): readonly string[] {
    return [...this.grpcCallers.keys(), ...this.httpCallers.keys()].map(({ namespace }) => namespace.name);
  }

  /** Hosts it calls, as a Sidecar names them: `namespace/host`. */
  get hosts(): readonly string[] {
    const callees = [...this.grpc, ...this.http].map(({ service }) => service);
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
      ...callProblems(where, mesh, this.grpc),
      ...overHttp,
      ...(overHttp.length > 0 ? [] : httpCallProblems(where, this.http)),
      ...externalCallProblems(where, mesh, this.external, ports, namespace),
    ];
  }
}

/** Adds a call to a callee's list of its callers. */
export function noteCaller(callers: Map<Caller, Method[]>, caller: Caller, method: Method): void {
  const called = callers.get(caller);
  if (called === undefined) callers.set(caller, [method]);
  else called.push(method);
}

/** Tells the callee of a method who calls it; plain JavaScript may pass anything for a method. */
export function tellCallee(caller: Caller, method: unknown): void {
  if (!isMethod(method)) return;
  const { service }: { readonly service: Partial<Method['service']> } = method;
  service.noteCaller?.(caller, method);
}
