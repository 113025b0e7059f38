import { fromBinary, toBinary } from '@bufbuild/protobuf';
import type { Registry } from '@bufbuild/protobuf';
import type { Binding } from '../bindings.ts';
import { decodeRequest, parseBody } from '../request.ts';
import { encodeResponse } from '../response.ts';

/** The parts of an HTTP request that make the gRPC request. */
export interface RequestParts {
  /** Raw path segments, as the router found them. */
  readonly path: readonly string[];
  /** Raw query, without the question mark. */
  readonly query: string;
  /** JSON in UTF-8; undefined or empty when there is none. */
  readonly body: Uint8Array | undefined;
}

/** Translates the messages of one binding between HTTP with JSON and protobuf's binary form. */
export interface BindingCodec {
  /** @throws StatusError INVALID_ARGUMENT, with google.rpc.BadRequest details */
  decode(parts: RequestParts): Uint8Array;
  /** JSON of one answer, or of the part of it that is the response's body. */
  encode(answer: Uint8Array): Uint8Array | string;
}

/**
 * Makes the codec of a binding.
 * @param registry - the types that may stand in a google.protobuf.Any
 */
export function codecOf(binding: Binding, registry: Registry): BindingCodec {
  const { input, output } = binding.method;
  return {
    decode: ({ path, query, body }) => {
      const json = body && parseBody(body);
      return toBinary(input, decodeRequest(binding, { path, query, body: json }, registry));
    },
    encode: (answer) => encodeResponse(binding, fromBinary(output, answer), registry),
  };
}
