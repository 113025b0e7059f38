import { Client, credentials } from '@grpc/grpc-js';
import { create } from '@bufbuild/protobuf';
import type {
  DescMessage,
  DescMethod,
  DescMethodUnary,
  DescService,
  MessageInitShape,
  MessageShape,
} from '@bufbuild/protobuf';
import type { GenService, GenServiceMethods } from '@bufbuild/protobuf/codegenv2';
import './grpc/mended.ts';
import type { CallOptions, StreamOptions } from './client/call-options.ts';
import { startCall } from './client/client-call.ts';
import { streamCaller } from './client/client-streams.ts';
import { codecOf } from './wire.ts';

export type { CallOptions, StreamOptions } from './client/call-options.ts';
export { traceKeys } from './client/client-call.ts';

/** A connection to one address, shared by all calls to it; closed by its owner. */
export type Channel = Pick<Client, 'close'>;

type Messages<T> = AsyncIterable<T> | Iterable<T>;

/**
 * A method as its caller sees it. Each rejects, or throws while the answers are iterated, with a StatusError: the status of
 * the answer, or UNAVAILABLE, DEADLINE_EXCEEDED or CANCELLED when there is none.
 *
 * Requests of a stream are read no faster than the server accepts them, and no longer when the call has ended; an error
 * that they throw cancels the call and becomes its result. Iterate the answers of a stream only once: the server is held
 * back while they are not read, and leaving the loop early cancels the call. An error of the server comes after the answers
 * before it; a deadline, a cancellation or the end of the connection drops those that were not read yet.
 */
export type Caller<Kind extends DescMethod['methodKind'], I extends DescMessage, O extends DescMessage> = {
  unary: (request: MessageInitShape<I>, options: CallOptions) => Promise<MessageShape<O>>;
  server_streaming: (
    request: MessageInitShape<I>,
    options?: StreamOptions,
  ) => AsyncGenerator<MessageShape<O>, void>;
  client_streaming: (
    requests: Messages<MessageInitShape<I>>,
    options?: StreamOptions,
  ) => Promise<MessageShape<O>>;
  bidi_streaming: (
    requests: Messages<MessageInitShape<I>>,
    options?: StreamOptions,
  ) => AsyncGenerator<MessageShape<O>, void>;
}[Kind];

/** A typed client: a function for each method of a service, with its proto name in camelCase. */
export type ServiceClient<S extends DescService> =
  S extends GenService<infer M extends GenServiceMethods>
    ? { readonly [K in keyof M]: Caller<M[K]['methodKind'], M[K]['input'], M[K]['output']> }
    : never;

/**
 * Opens a channel to `host:port`; it connects at the first call. A message of an answer has at most `answerBytes`; a longer one
 * ends its call with RESOURCE_EXHAUSTED. Retries are left to the mesh, which knows the other
 * endpoints: there is no retry policy here, and none is read from DNS. Names are resolved again soon after a connection is
 * lost.
 */
export function openChannel(address: string, answerBytes = 4 * 2 ** 20): Channel {
  return new Client(address, credentials.createInsecure(), {
    'grpc.max_receive_message_length': answerBytes,
    'grpc.service_config_disable_resolution': 1,
    // Calls stay inside the cluster, even if the environment names an HTTP proxy.
    'grpc.enable_http_proxy': 0,
    'grpc.initial_reconnect_backoff_ms': 200,
    'grpc.max_reconnect_backoff_ms': 5_000,
    'grpc.dns_min_time_between_resolutions_ms': 1_000,
  });
}

/** A typed client of a service over a channel. */
export function serviceClient<S extends DescService>(service: S, channel: Channel): ServiceClient<S> {
  const methods = service.methods.map((method) => [method.localName, callerOf(channel, method)]);
  return Object.fromEntries(methods) as ServiceClient<S>;
}

function callerOf(channel: Channel, method: DescMethod): unknown {
  if (isUnary(method)) {
    return (request: MessageInitShape<DescMessage>, options: CallOptions) =>
      callUnary(channel, method, create(method.input, request), options);
  }
  return streamCaller(channel as Client, method);
}

/**
 * Calls a unary method by its descriptor.
 * @throws StatusError with the status of the answer, or UNAVAILABLE, DEADLINE_EXCEEDED or CANCELLED when there is none
 */
export function callUnary<I extends DescMessage, O extends DescMessage>(
  channel: Channel,
  method: DescMethodUnary<I, O>,
  request: MessageShape<I>,
  options: CallOptions,
): Promise<MessageShape<O>> {
  const { path, encodeRequest, decodeAnswer } = codecOf(method);
  const client = channel as Client;
  return new Promise((resolve, reject) => {
    const outgoing = startCall(client, method, options);
    const { metadata, deadline } = outgoing;
    const call = client.makeUnaryRequest(
      path,
      encodeRequest,
      (bytes: Buffer) => {
        // grpc-js reads on for no unary call: a second answer, or a part of one, would leave it waiting for its deadline.
        call.call?.startRead();
        return decodeAnswer(bytes);
      },
      request,
      metadata,
      { deadline },
      (error, response) => {
        outgoing.ended(error);
        // grpc-js tells the trailer after the outcome.
        outgoing.afterTrailer(() => {
          const isOk = error === null && outgoing.thrown === undefined;
          if (isOk && response !== undefined) resolve(response as MessageShape<O>);
          else reject(outgoing.failure(error));
        });
      },
    );
    outgoing.started(call);
  });
}

/** Whether a method has one request and one answer. */
export function isUnary(method: DescMethod): method is DescMethodUnary {
  return method.methodKind === 'unary';
}
