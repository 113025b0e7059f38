import { Metadata, status } from '@grpc/grpc-js';
import type { StatusObject } from '@grpc/grpc-js';

/** A gRPC status as an error: what a handler throws to answer it, and what a client's call rejects with. */
export class StatusError extends Error {
  readonly code: status;
  /** Trailing metadata. */
  readonly metadata: Metadata;

  constructor(code: status, message: string, metadata = new Metadata()) {
    super(message);
    this.name = 'StatusError';
    this.code = code;
    this.metadata = metadata;
  }
}

/**
 * Makes a {@link StatusError}. The message is for the caller: name the field or id that is wrong, nothing internal.
 * Source of the codes: https://grpc.io/docs/guides/status-codes/
 */
export function statusError(code: status, message: string, metadata?: Metadata): StatusError {
  return new StatusError(code, message, metadata);
}

/** The status to answer for whatever a handler threw: its own, or INTERNAL without a word about the inside. */
export function toStatus(error: unknown): StatusObject {
  if (!(error instanceof StatusError)) {
    return { code: status.INTERNAL, details: 'internal error', metadata: new Metadata() };
  }
  // grpc-js percent-encodes the message and would throw at half a surrogate pair.
  return { code: error.code, details: error.message.toWellFormed(), metadata: error.metadata };
}
