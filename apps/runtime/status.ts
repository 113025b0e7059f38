import { Metadata, status } from '@grpc/grpc-js';
import type { StatusObject } from '@grpc/grpc-js';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import type { DescMessage, MessageInitShape, MessageShape } from '@bufbuild/protobuf';
import { anyPack, anyUnpack } from '@bufbuild/protobuf/wkt';
import type { Any } from '@bufbuild/protobuf/wkt';
import { StatusSchema } from '../../gen/google/rpc/status_pb.js';

/** Metadata key of an error's google.rpc.Status, which repeats its code and message and adds details. */
export const detailsKey = 'grpc-status-details-bin';

/**
 * Trailing metadata of a RESOURCE_EXHAUSTED for a limit of the server, not of its caller: `answer`, a message of the answer is too
 * long, or `calls`, too many are in flight. The code alone cannot tell.
 */
export const limitKey = 'x-limit-met';

export function limitMet(limit: 'answer' | 'calls'): Metadata {
  const metadata = new Metadata();
  metadata.set(limitKey, limit);
  return metadata;
}

/** A gRPC status as an error: a handler throws it to answer with that status, and a client's call rejects with it. */
export class StatusError extends Error {
  readonly code: status;
  /** Trailing metadata; the details are in it. */
  readonly metadata: Metadata;

  constructor(code: status, message: string, metadata = new Metadata()) {
    super(message);
    this.name = 'StatusError';
    this.code = code;
    this.metadata = metadata;
  }
}

/**
 * Creates a {@link StatusError}. The message is for people: name the wrong field or id, and nothing internal. The details
 * are for programs, see {@link detail}.
 * Source: https://grpc.io/docs/guides/status-codes/ and https://google.aip.dev/193
 * @param metadata - trailing metadata in addition to the details
 */
export function statusError(
  code: status,
  message: string,
  details: readonly Any[] = [],
  metadata = new Metadata(),
): StatusError {
  if (details.length > 0) {
    const carried = create(StatusSchema, { code, message: message.toWellFormed(), details: [...details] });
    metadata.set(detailsKey, Buffer.from(toBinary(StatusSchema, carried)));
  }
  return new StatusError(code, message, metadata);
}

/**
 * A detail of a {@link statusError}: `detail(ErrorInfoSchema, { reason: 'OUT_OF_STOCK', domain: 'shop.example' })`.
 * The types that programs know are in gen/google/rpc/error_details_pb.js. Keep them short: all trailers of an answer
 * together have 8 KiB; what is longer is cut (server/sendable.ts).
 */
export function detail<D extends DescMessage>(schema: D, init: MessageInitShape<D>): Any {
  return anyPack(schema, create(schema, init));
}

/** The first detail of that type; undefined when there is none, or when the details cannot be parsed. */
export function findDetail<D extends DescMessage>(
  error: StatusError,
  schema: D,
): MessageShape<D> | undefined {
  const [bytes] = error.metadata.get(detailsKey);
  if (!(bytes instanceof Uint8Array)) return undefined;
  try {
    for (const each of fromBinary(StatusSchema, bytes).details) {
      const found = anyUnpack(each, schema);
      if (found !== undefined) return found;
    }
  } catch {
    // Malformed details must not hide the error itself.
  }
  return undefined;
}

/**
 * The status to answer for whatever a handler threw: its own, or INTERNAL without internal details. An error that says OK, or
 * a code that gRPC does not define, is INTERNAL too.
 */
export function toStatus(error: unknown): StatusObject {
  if (!(error instanceof StatusError) || error.code === status.OK || !(error.code in status)) {
    return { code: status.INTERNAL, details: 'internal error', metadata: new Metadata() };
  }
  // grpc-js percent-encodes the message and would throw at half a surrogate pair.
  return { code: error.code, details: error.message.toWellFormed(), metadata: error.metadata };
}
