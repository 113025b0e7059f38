import type { Metadata } from '@grpc/grpc-js';
import type { CallContext } from '../handlers.ts';

/** Options of a call. */
export interface CallOptions {
  /** The call being answered: its deadline, cancellation and trace context are passed on. */
  readonly parent?: CallContext;
  /** Time limit of this call; the parent's deadline applies if it is earlier. Milliseconds. */
  readonly timeoutMs: number;
  readonly metadata?: Metadata;
  /** Cancels the call. @default - the parent's signal */
  readonly signal?: AbortSignal;
  /** Called with the answer's initial metadata. What it throws cancels the call and becomes its outcome. */
  readonly onHeader?: (header: Metadata) => void;
  /** Called with the answer's trailing metadata, before the outcome of the call is known. What it throws becomes the outcome. */
  readonly onTrailer?: (trailer: Metadata) => void;
}

/** Options for streams, which may have no time limit. */
export interface StreamOptions extends Omit<CallOptions, 'timeoutMs'> {
  /** As in {@link CallOptions}. @default - only the parent's deadline */
  readonly timeoutMs?: number;
}
