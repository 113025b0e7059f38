import { Client, Metadata, credentials, status } from '@grpc/grpc-js';
import type { ServiceError } from '@grpc/grpc-js';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import type {
  DescMessage,
  DescMethod,
  DescMethodUnary,
  DescService,
  MessageInitShape,
  MessageShape,
} from '@bufbuild/protobuf';
import type { GenService, GenServiceMethods } from '@bufbuild/protobuf/codegenv2';
import type { CallContext } from './handlers.ts';
import { StatusError } from './status.ts';

/** A connection to one address, shared by all calls to it; closed by its owner. */
export type Channel = Pick<Client, 'close'>;

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

/** A typed client: the unary methods of a service. */
export type UnaryClient<S extends DescService> =
  S extends GenService<infer M extends GenServiceMethods>
    ? {
        readonly [K in keyof M as M[K]['methodKind'] extends 'unary' ? K : never]: (
          request: MessageInitShape<M[K]['input']>,
          options: CallOptions,
        ) => Promise<MessageShape<M[K]['output']>>;
      }
    : never;

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

/**
 * Opens a channel to `host:port`, connecting at the first call. Retries are left to the mesh, which knows the other
 * endpoints: there is no retry policy here, and none is read from DNS. Names are looked up again soon after a lost
 * connection.
 */
export function openChannel(address: string): Channel {
  return new Client(address, credentials.createInsecure(), {
    'grpc.service_config_disable_resolution': 1,
    // Calls stay inside the cluster, whatever proxy the environment names.
    'grpc.enable_http_proxy': 0,
    'grpc.initial_reconnect_backoff_ms': 200,
    'grpc.max_reconnect_backoff_ms': 5_000,
    'grpc.dns_min_time_between_resolutions_ms': 1_000,
  });
}

/** A typed client of a service over a channel. */
export function unaryClient<S extends DescService>(service: S, channel: Channel): UnaryClient<S> {
  const methods = service.methods
    .filter(isUnary)
    .map((method) => [
      method.localName,
      (request: MessageInitShape<DescMessage>, options: CallOptions) =>
        callUnary(channel, method, create(method.input, request), options),
    ]);
  return Object.fromEntries(methods) as UnaryClient<S>;
}

/**
 * Calls a unary method known by its descriptor.
 * @throws StatusError with the status of the answer, or UNAVAILABLE, DEADLINE_EXCEEDED or CANCELLED when there is none
 */
export function callUnary<I extends DescMessage, O extends DescMessage>(
  channel: Channel,
  method: DescMethodUnary<I, O>,
  request: MessageShape<I>,
  options: CallOptions,
): Promise<MessageShape<O>> {
  const signal = options.signal ?? options.parent?.signal;
  return new Promise((resolve, reject) => {
    const call = (channel as Client).makeUnaryRequest<MessageShape<I>, MessageShape<O>>(
      `/${method.parent.typeName}/${method.name}`,
      (message) => toBuffer(toBinary(method.input, message)),
      (bytes) => fromBinary(method.output, bytes),
      request,
      requestMetadata(options),
      { deadline: Math.min(Date.now() + options.timeoutMs, options.parent?.deadline ?? Infinity) },
      (error, response) => {
        signal?.removeEventListener('abort', cancel);
        if (error === null && response !== undefined) resolve(response);
        else reject(fromServiceError(error));
      },
    );
    const cancel = () => {
      call.cancel();
    };
    if (options.onHeader !== undefined) call.once('metadata', options.onHeader);
    if (signal?.aborted === true) cancel();
    else signal?.addEventListener('abort', cancel, { once: true });
  });
}

/** Whether a method takes one message and answers with one. */
export function isUnary(method: DescMethod): method is DescMethodUnary {
  return method.methodKind === 'unary';
}

function requestMetadata(options: CallOptions): Metadata {
  const metadata = options.metadata?.clone() ?? new Metadata();
  for (const key of options.parent === undefined ? [] : traceKeys) {
    for (const value of options.parent?.metadata.get(key) ?? []) metadata.set(key, value);
  }
  return metadata;
}

function fromServiceError(error: ServiceError | null): StatusError {
  if (error === null) return new StatusError(status.UNKNOWN, 'the answer has no message');
  return new StatusError(error.code, error.details, error.metadata);
}

function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
