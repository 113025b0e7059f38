import type { Metadata } from '@grpc/grpc-js';
import type { CallContext } from '../handlers.ts';

export interface CallOptions {
  /** The call being answered: its deadline, cancellation and trace context are passed on. */
  readonly parent?: CallContext;
  /** The most this call may take; less when the parent's deadline comes first. Milliseconds. */
  readonly timeoutMs: number;
  readonly metadata?: Metadata;
  /** Cancels the call. @default - the parent's signal */
  readonly signal?: AbortSignal;
  /** Receives the answer's initial metadata; that of an error is in the error. */
  readonly onHeader?: (header: Metadata) => void;
}

/** For streams, which may go on without an end. */
export interface StreamOptions extends Omit<CallOptions, 'timeoutMs'> {
  /** As in {@link CallOptions}. @default - the parent's deadline alone */
  readonly timeoutMs?: number;
}
