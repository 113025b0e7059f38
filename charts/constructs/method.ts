import type { DescMethod, DescService } from '@bufbuild/protobuf';
import type { GenService, GenServiceMethods } from '@bufbuild/protobuf/codegenv2';
import type { GrpcService } from './grpc-service.ts';

/** How a gRPC method streams, in protobuf-es' words: `unary`, `server_streaming`, `client_streaming`, `bidi_streaming`. */
export type MethodKind = DescMethod['methodKind'];

/**
 * A method of a declared service: the construct and the proto descriptor in one value, so that what refers to a
 * method can neither name half of it nor misspell it.
 */
export interface Method<K extends MethodKind = MethodKind, C extends string = string> {
  readonly service: GrpcService<DescService, C>;
  readonly descriptor: DescMethod;
  readonly kind: K;
}

/** The methods of a proto service by their local (lower camel case) name. */
export type Methods<S extends DescService, C extends string> =
  S extends GenService<infer M extends GenServiceMethods>
    ? { readonly [K in keyof M]: Method<M[K]['methodKind'], C> }
    : never;

/** Pairs every method of the descriptor with the construct. */
export function methodsOf<S extends DescService, C extends string>(
  service: GrpcService<S, C>,
  descriptor: S,
): Methods<S, C> {
  const methods = descriptor.methods.map((method) => [
    method.localName,
    { service, descriptor: method, kind: method.methodKind },
  ]);
  return Object.fromEntries(methods) as Methods<S, C>;
}
