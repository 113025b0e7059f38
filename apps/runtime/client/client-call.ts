import { Metadata, status } from '@grpc/grpc-js';
import type { Client, ClientUnaryCall, ServiceError } from '@grpc/grpc-js';
import type { DescMethod } from '@bufbuild/protobuf';
import type { StreamOptions } from './call-options.ts';
import { StatusError } from '../status.ts';
import { tracing } from '../telemetry/tracing.ts';

/** What ties the calls of one request together, and what Istio asks applications to pass on. */
export const traceKeys = [
  'traceparent',
  'tracestate',
  'baggage',
  'x-request-id',
  'b3',
  'x-b3-traceid',
  'x-b3-spanid',
  'x-b3-parentspanid',
  'x-b3-sampled',
  'x-b3-flags',
] as const;

/** What a call to another service takes along, and what has to happen at its start and its end. */
export interface OutgoingCall {
  readonly metadata: Metadata;
  /** Milliseconds since 1970. */
  readonly deadline: number;
  /** To be called with the call as soon as grpc-js has made it. */
  started(call: Pick<ClientUnaryCall, 'cancel' | 'once'>): void;
  /** To be called once, when it is over. */
  ended(error: ServiceError | null): void;
}

/** Begins a call: what the parent passes on, its span when there is tracing, and the earlier of both deadlines. */
export function startCall(client: Client, method: DescMethod, options: StreamOptions): OutgoingCall {
  const { parent, timeoutMs = Infinity, signal = parent?.signal, onHeader } = options;
  const metadata = options.metadata?.clone() ?? new Metadata();
  if (parent !== undefined) {
    for (const key of traceKeys) for (const value of parent.metadata.get(key)) metadata.set(key, value);
  }
  const span = tracing()?.startCall({ method, client, parent, metadata });
  let cancel: () => void = () => undefined;
  return {
    metadata,
    deadline: Math.min(Date.now() + timeoutMs, parent?.deadline ?? Infinity),
    started: (call) => {
      cancel = () => {
        call.cancel();
      };
      if (onHeader !== undefined) call.once('metadata', onHeader);
      if (signal?.aborted === true) cancel();
      else signal?.addEventListener('abort', cancel, { once: true });
    },
    ended: (error) => {
      signal?.removeEventListener('abort', cancel);
      span?.end(error === null ? status.OK : error.code);
    },
  };
}

/** The status that a call failed with. */
export function fromServiceError(error: ServiceError | null): StatusError {
  if (error === null) return new StatusError(status.UNKNOWN, 'the answer has no message');
  return new StatusError(error.code, error.details, error.metadata);
}
