import { isMethod } from './authorization.ts';
import type { Callable } from '../scope/callable.ts';
import type { Caller, Method } from '../scope/method.ts';
import { isRoute, type ServiceRoute } from '../scope/service-route.ts';
import { isPort, type TcpPort } from '../scope/tcp-port.ts';

/** Who calls what of a workload. */
export interface Callers {
  /** Its methods over gRPC. */
  readonly grpcCallers: ReadonlyMap<Caller, readonly Method[]>;
  /** Its methods over HTTP. */
  readonly httpCallers: ReadonlyMap<Caller, readonly Method[]>;
  /** Its ports over TCP. */
  readonly tcpCallers: ReadonlyMap<Caller, readonly TcpPort[]>;
  /** Its routes. */
  readonly routeCallers: ReadonlyMap<Caller, readonly ServiceRoute[]>;
}

/** Who calls a workload: kept with it, so that nobody has to search the mesh for callers. */
export class CallerRecord implements Callers {
  readonly grpcCallers = new Map<Caller, Method[]>();
  readonly httpCallers = new Map<Caller, Method[]>();
  readonly tcpCallers = new Map<Caller, TcpPort[]>();
  readonly routeCallers = new Map<Caller, ServiceRoute[]>();

  /** Namespaces of its callers. */
  get namespaces(): readonly string[] {
    const callers = [this.grpcCallers, this.httpCallers, this.tcpCallers, this.routeCallers].flatMap(
      (one) => [...one.keys()],
    );
    return callers.map(({ namespace }) => namespace.name);
  }

  /** Adds a call to the list of its callers. */
  note(caller: Caller, call: Callable): void {
    if (isPort(call)) note(this.tcpCallers, caller, call);
    else if (isRoute(call)) note(this.routeCallers, caller, call);
    else note(this.grpcCallers, caller, call);
  }

  /** Adds a call over HTTP. */
  noteHttp(caller: Caller, method: Method): void {
    note(this.httpCallers, caller, method);
  }
}

function note<T>(callers: Map<Caller, T[]>, caller: Caller, call: T): void {
  const called = callers.get(caller);
  if (called === undefined) callers.set(caller, [call]);
  else called.push(call);
}

/** Tells the callee of a method, a port or a route who calls it; plain JavaScript may pass anything for one. */
export function tellCallee(caller: Caller, call: unknown): void {
  if (isPort(call)) call.service.noteCaller(caller, call);
  if (isRoute(call)) call.service.noteCaller(caller, call);
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
