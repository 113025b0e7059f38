import type { MeshConstruct } from '../scope/mesh-construct.ts';
import { UnknownPort } from '../scope/tcp-port.ts';
import type { ExternalPortProps } from './external-props.ts';

/** A declared host outside the mesh, as those see it who call it: the class `ExternalService`. */
export interface ExternalCallee<C extends string = string> extends MeshConstruct<C> {
  readonly namespace: { readonly name: string };
  readonly host: string;
  readonly addresses: readonly string[] | undefined;
  /** All its ports, in the order they were given. */
  readonly allPorts: readonly ExternalPort<C>[];
  /** Called by `callsExternal`: the caller's namespace gets to know the host. */
  noteCaller(caller: { readonly namespace: { readonly name: string } }): void;
}

/** A port of a host outside the mesh: the construct and the port's name in one value, so that nothing can misspell it. */
export interface ExternalPort<C extends string = string> {
  readonly service: ExternalCallee<C>;
  readonly portName: string;
  /** What was said of it; only once it was found right. */
  readonly props: ExternalPortProps;
}

/** One of a declared service; error messages show it the way it is written. */
class DeclaredExternalPort<C extends string> implements ExternalPort<C> {
  readonly service: ExternalCallee<C>;
  readonly portName: string;
  readonly props: ExternalPortProps;

  constructor(service: ExternalCallee<C>, portName: string, props: ExternalPortProps) {
    this.service = service;
    this.portName = portName;
    this.props = props;
  }

  toJSON(): string {
    return `${this.service.where}.port.${this.portName}`;
  }
}

/** Pairs every port with the construct. */
export function externalPorts<P extends string, C extends string>(
  service: ExternalCallee<C>,
  given: readonly (readonly [string, unknown])[],
): Readonly<Record<P, ExternalPort<C>>> {
  const ports = given.map(
    ([name, props]) => [name, new DeclaredExternalPort(service, name, props as ExternalPortProps)] as const,
  );
  return new Proxy(Object.fromEntries(ports) as unknown as Record<P, ExternalPort<C>>, {
    // Names alone: symbols are what the language and test tools ask any object for.
    get: (target, name) =>
      typeof name === 'symbol' || Object.hasOwn(target, name)
        ? (Reflect.get(target, name) as unknown)
        : new UnknownPort(service.where, name, Object.keys(target)),
  });
}

/** Whether it is a port of a host outside the mesh; plain JavaScript may pass anything for one. */
export function isExternalPort(value: unknown): value is ExternalPort {
  return value instanceof DeclaredExternalPort;
}

/** Where the listener of a caller's proxy for a port stands, and what it tells calls apart by. */
export type ListenerKind = 'HTTP' | 'TLS' | 'TCP';

/** Of a port by its protocol. */
export function listenerKind({ protocol }: Pick<ExternalPortProps, 'protocol'>): ListenerKind {
  return protocol === 'GRPC' ? 'HTTP' : protocol;
}
