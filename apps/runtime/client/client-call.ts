import { Metadata, status } from '@grpc/grpc-js';
import type { Client, ClientUnaryCall, ServiceError, StatusObject } from '@grpc/grpc-js';
import type { DescMethod } from '@bufbuild/protobuf';
import type { StreamOptions } from './call-options.ts';
import { StatusError } from '../status.ts';
import { tracing } from '../telemetry/tracing.ts';

/** Metadata that ties the calls of one request together, and that Istio requires applications to pass on. */
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

/** The metadata and deadline of a call to another service, and callbacks for its start and end. */
export interface OutgoingCall {
  readonly metadata: Metadata;
  /** Milliseconds since 1970. */
  readonly deadline: number;
  /** Call it with the call as soon as grpc-js has created it. */
  started(call: Pick<ClientUnaryCall, 'cancel' | 'once'>): void;
  /** Call it once, when the call has ended. */
  ended(error: ServiceError | null): void;
  /** Calls back when `onTrailer` has been called, which is at once if there is none. For calls that have ended. */
  afterTrailer(done: () => void): void;
  /** What `onHeader` or `onTrailer` threw. */
  readonly thrown: Error | undefined;
  /** What the call failed with: what was thrown, if anything was, or the status. */
  failure(error: ServiceError | null): Error;
}

/** Beyond 64 KiB node:http2 ends the connection, and all calls on it; Envoy takes 60 KiB, with what it adds itself. Bytes. */
const mostMetadata = 56 * 1024;

/**
 * Starts a call: passes on the parent's metadata, starts a span if there is tracing, and takes the earlier of both deadlines.
 * @throws StatusError RESOURCE_EXHAUSTED when the metadata is too large to be sent
 */
export function startCall(client: Client, method: DescMethod, options: StreamOptions): OutgoingCall {
  const { parent, timeoutMs = Infinity, signal = parent?.signal, onHeader, onTrailer } = options;
  const metadata = options.metadata?.clone() ?? new Metadata();
  if (parent !== undefined) {
    for (const key of traceKeys) for (const value of parent.metadata.get(key)) metadata.set(key, value);
  }
  const size = sizeOf(metadata);
  if (size > mostMetadata) {
    const message = `metadata: ${size} bytes; allowed at most ${mostMetadata}`;
    throw new StatusError(status.RESOURCE_EXHAUSTED, message);
  }
  const span = tracing()?.startCall({ method, client, parent, metadata });
  const deadline = Math.min(Date.now() + timeoutMs, parent?.deadline ?? Infinity);
  let cancelled = false;
  let cancel: () => void = () => undefined;
  /** A server resets a call that is over its deadline with CANCEL, which may come before our own timer. */
  const isLate = ({ code }: ServiceError) =>
    code === status.CANCELLED && !cancelled && Date.now() >= deadline;
  const failureOf = (error: ServiceError) =>
    isLate(error)
      ? new StatusError(status.DEADLINE_EXCEEDED, 'the deadline was exceeded', error.metadata)
      : new StatusError(error.code, error.details, error.metadata);
  let thrown: Error | undefined;
  let told: () => void = () => undefined;
  /** Who emits is a connection, which other calls share: nothing may be thrown at it. */
  const tell = (listener: (metadata: Metadata) => void, received: Metadata) => {
    try {
      listener(received);
    } catch (error) {
      thrown ??= error instanceof Error ? error : new Error(String(error));
      cancel();
    }
  };
  return {
    metadata,
    deadline,
    started: (call) => {
      cancel = () => {
        cancelled = true;
        call.cancel();
      };
      if (onHeader !== undefined) {
        call.once('metadata', (header: Metadata) => {
          tell(onHeader, header);
        });
      }
      if (onTrailer !== undefined) {
        call.once('status', ({ metadata: trailer }: StatusObject) => {
          tell(onTrailer, trailer);
          told();
        });
      }
      if (signal?.aborted === true) cancel();
      else signal?.addEventListener('abort', cancel, { once: true });
    },
    ended: (error) => {
      signal?.removeEventListener('abort', cancel);
      span?.end(error === null ? status.OK : failureOf(error).code);
    },
    afterTrailer: (done) => {
      if (onTrailer === undefined) done();
      else told = done;
    },
    get thrown() {
      return thrown;
    },
    failure: (error) => {
      if (thrown !== undefined) return thrown;
      if (error === null) return new StatusError(status.UNKNOWN, 'the answer has no message');
      return failureOf(error);
    },
  };
}

/** The size of metadata as headers. Source: RFC 9113, section 6.5.2. */
function sizeOf(metadata: Metadata): number {
  let size = 0;
  for (const [name, values] of Object.entries(metadata.toHttp2Headers())) {
    for (const value of [values].flat()) size += name.length + String(value).length + 32;
  }
  return size;
}
