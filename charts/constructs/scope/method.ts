import type { DescMethod, DescService } from '@bufbuild/protobuf';
import type { GenService, GenServiceMethods } from '@bufbuild/protobuf/codegenv2';
import type { ContainerConfig } from '../../../apps/config/app-config.ts';
import type { MeshConstruct } from './mesh-construct.ts';

/** How a gRPC method streams, in protobuf-es' words: `unary`, `server_streaming`, `client_streaming`, `bidi_streaming`. */
export type MethodKind = DescMethod['methodKind'];

/** A workload that calls others, as those see it. */
export interface Caller {
  /** Path of its construct. */
  readonly where: string;
  readonly principal: string;
  readonly namespace: { readonly name: string };
  /** Clusters its pods run in; none where that is not declared. */
  readonly clusters: readonly string[];
}

/**
 * A declared gRPC service as those see it who call it, or who refer to one of its methods: the class `GrpcService`, or
 * `ExistingService` for one that belongs to others.
 */
export interface Callee<C extends string = string> extends MeshConstruct<C> {
  readonly namespace: { readonly name: string };
  /** Name of its Service in every cluster. */
  readonly name: string;
  /** Whether it belongs to others: it is read and never written. */
  readonly isExisting: boolean;
  /** Where its ports and the like stand, for messages: `apps/catalog/config.yml`. */
  readonly configName: string;
  /** Whether all that is known of it is right: only then it has ports. */
  readonly isSound: boolean;
  /** Whether its pods have an HTTP gateway, as far as can be told. */
  readonly hasHttpGateway: boolean | undefined;
  /** Descriptor of the proto service it serves; of several, the first. */
  readonly service: DescService;
  /** Every proto service that its app serves, of those that the mesh knows. */
  readonly served: readonly DescService[];
  /** Host name of its Service, the same in every cluster. */
  readonly host: string;
  /** Ports of its Service. */
  readonly ports: ContainerConfig['ports'];
  /** Called by `calls`, for each method that a caller may call. */
  noteCaller(caller: Caller, method: Method): void;
  /** Called by `callsHttp`; a service of others has no HTTP gateway of the mesh. */
  noteHttpCaller?(caller: Caller, method: Method): void;
}

/**
 * A method of a declared service: the construct and the proto descriptor in one value, so that what refers to a
 * method can neither name half of it nor misspell it.
 */
export interface Method<K extends MethodKind = MethodKind, C extends string = string> {
  readonly service: Callee<C>;
  readonly descriptor: DescMethod;
  readonly kind: K;
}

/** The methods of a proto service by their local (lower camel case) name. */
export type Methods<S extends DescService, C extends string> =
  S extends GenService<infer M extends GenServiceMethods>
    ? { readonly [K in keyof M]: Method<M[K]['methodKind'], C> }
    : never;

/** A proto service that is the only one; none where there are several. */
export type Only<S extends DescService> = Several<S> extends true ? never : S;
type Several<T, U = T> = (T extends unknown ? ([U] extends [T] ? false : true) : never) extends false
  ? false
  : true;

/**
 * What a misspelled method is in plain JavaScript, where no compiler refuses it: it remembers its name, so that synth
 * can say which was meant.
 */
export class UnknownMethod {
  /** Path of the service's construct. */
  readonly service: string;
  readonly name: string;
  /** Names of the methods there are. */
  readonly known: readonly string[];

  constructor(service: string, name: string, known: readonly string[]) {
    this.service = service;
    this.name = name;
    this.known = known;
  }
}

/** One of a declared service; error messages show it the way it is written. */
class DeclaredMethod<C extends string> implements Method<MethodKind, C> {
  readonly service: Callee<C>;
  readonly descriptor: DescMethod;
  readonly kind: MethodKind;

  constructor(service: Callee<C>, descriptor: DescMethod) {
    this.service = service;
    this.descriptor = descriptor;
    this.kind = descriptor.methodKind;
  }

  toJSON(): string {
    return `${this.service.where}.method.${this.descriptor.localName}`;
  }
}

/** Pairs every method of the descriptor with the construct. */
export function methodsOf<S extends DescService, C extends string>(
  service: Callee<C>,
  descriptor: S,
): Methods<S, C> {
  const methods = descriptor.methods.map((method) => [method.localName, new DeclaredMethod(service, method)]);
  const known = Object.fromEntries(methods) as Record<string, Method>;
  return new Proxy(known, {
    // Names alone: symbols are what the language and test tools ask any object for.
    get: (target, name) =>
      typeof name === 'symbol' || Object.hasOwn(target, name)
        ? (Reflect.get(target, name) as unknown)
        : new UnknownMethod(service.where, name, Object.keys(target)),
  }) as Methods<S, C>;
}

/** What the methods of a proto service are that a service does not serve: each is unknown, whatever it is called. */
export function unknownMethods({ where }: Callee, methods: readonly Method[]): object {
  const known = methods.map(({ descriptor }) => descriptor.localName);
  return new Proxy({}, { get: (_, name) => new UnknownMethod(where, String(name), known) });
}
