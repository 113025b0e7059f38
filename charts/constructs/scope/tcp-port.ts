import type { MeshConstruct } from './mesh-construct.ts';
import type { Caller } from './method.ts';

/** A declared service that speaks something else than gRPC over TCP, as those see it who call it: the class `TcpService`. */
export interface TcpCallee<C extends string = string> extends MeshConstruct<C> {
  readonly namespace: { readonly name: string };
  /** Name of its Service in every cluster. */
  readonly name: string;
  /** Whether it belongs to others: it is read and never written. */
  readonly isExisting: boolean;
  /** Host name of its Service, the same in every cluster. */
  readonly host: string;
  /** Host name of the headless Service below which each of its pods has a name. Absent: they have none. */
  readonly podsHost?: string | undefined;
  /** The port of its Service that has a name; only once all that is known of it is right. */
  servicePort(name: string): number;
  /** The port of its container that has a name; only once all that is known of it is right. */
  containerPort(name: string): number;
  /** Called by `calls`, for each port that a caller may call. */
  noteCaller(caller: Caller, port: TcpPort): void;
}

/** A port of a declared service: the construct and the port's name in one value, so that nothing can misspell it. */
export interface TcpPort<C extends string = string> {
  readonly service: TcpCallee<C>;
  readonly portName: string;
  /** Whether single pods are called, each by its name, and not the Service. */
  readonly ofPods: boolean;
}

/** What a misspelled port is in plain JavaScript, where no compiler refuses it: synth can say which was meant. */
export class UnknownPort {
  /** Path of the service's construct. */
  readonly service: string;
  readonly name: string;
  /** Names of the ports there are. */
  readonly known: readonly string[];

  constructor(service: string, name: string, known: readonly string[]) {
    this.service = service;
    this.name = name;
    this.known = known;
  }
}

/** One of a declared service; error messages show it the way it is written. */
class DeclaredPort<C extends string> implements TcpPort<C> {
  readonly service: TcpCallee<C>;
  readonly portName: string;
  readonly ofPods: boolean;

  constructor(service: TcpCallee<C>, portName: string, ofPods: boolean) {
    this.service = service;
    this.portName = portName;
    this.ofPods = ofPods;
  }

  toJSON(): string {
    return `${this.service.where}.${this.ofPods ? 'pods' : 'port'}.${this.portName}`;
  }
}

/**
 * Pairs every port with the construct.
 * @param ofPods - whether those of its single pods are meant. @default false
 */
export function portsOf<P extends string, C extends string>(
  service: TcpCallee<C>,
  names: readonly P[],
  ofPods = false,
): Readonly<Record<P, TcpPort<C>>> {
  const ports = names.map((name) => [name, new DeclaredPort(service, name, ofPods)] as const);
  return new Proxy(Object.fromEntries(ports) as unknown as Record<P, TcpPort<C>>, {
    // Names alone: symbols are what the language and test tools ask any object for.
    get: (target, name) =>
      typeof name === 'symbol' || Object.hasOwn(target, name)
        ? (Reflect.get(target, name) as unknown)
        : new UnknownPort(service.where, name, Object.keys(target)),
  });
}

/** The host that is called for a port: that of the Service, or the one below which its pods have their names. */
export function hostOf({ service, ofPods }: TcpPort): string {
  return ofPods ? (service.podsHost ?? service.host) : service.host;
}

/** Whether it is a port of a declared service; plain JavaScript may pass anything for one. */
export function isPort(value: unknown): value is TcpPort {
  return value instanceof DeclaredPort;
}
