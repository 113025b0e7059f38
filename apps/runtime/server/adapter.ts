import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { Metadata, status } from '@grpc/grpc-js';
import type {
  Server,
  ServerDuplexStream,
  ServerReadableStream,
  ServerUnaryCall,
  ServerWritableStream,
  StatusObject,
  sendUnaryData,
} from '@grpc/grpc-js';
import { create } from '@bufbuild/protobuf';
import type { DescMethod, Message } from '@bufbuild/protobuf';
import { ServerCallContext } from './call-context.ts';
import type { AnyCall } from './call-context.ts';
import type { CallContext, Handler, Implementation } from '../handlers.ts';
import { chain } from './interceptors.ts';
import type { Hooks, Interceptor } from './interceptors.ts';
import type { MessageDecoder } from '../grpc/decoder.ts';
import type { Logger } from '../log.ts';
import type { ServerLimits } from './limits.ts';
import { sendableStatus } from './sendable.ts';
import { limitMet, statusError, toStatus } from '../status.ts';
import { codecOf } from '../wire.ts';

/** Shared by all calls of a server. */
export interface ServerScope {
  /** Value of `x-served-by` on every answer. */
  readonly servedBy: string;
  readonly log: Logger;
  /** Aborted when the server stops accepting calls: open streams end. */
  readonly stopping: AbortSignal;
  /** Interceptors of every call, from the outside in. */
  readonly interceptors: readonly Interceptor[];
  readonly limits: Pick<ServerLimits, 'answerBytes'>;
}

type AnyHandler<Kind extends DescMethod['methodKind']> = Handler<
  Kind,
  DescMethod['input'],
  DescMethod['output']
>;

/** Shared by all calls of one method. */
interface MethodScope extends ServerScope {
  readonly method: DescMethod;
  readonly hooksOf: (context: CallContext) => Hooks;
  /** Of every answer: `x-served-by`. */
  readonly header: Metadata;
  /** The bytes of an answer. @throws Error that names the field which has no encoding; StatusError for too many bytes */
  readonly encode: (answer: Message) => Buffer;
}

const kinds = {
  unary: 'unary',
  client_streaming: 'clientStream',
  server_streaming: 'serverStream',
  bidi_streaming: 'bidi',
} as const;

/** Registers every method of an implementation with a grpc-js server. */
export function register(server: Server, implementation: Implementation, scope: ServerScope): void {
  const header = new Metadata();
  header.set('x-served-by', scope.servedBy);
  for (const method of implementation.service.methods) {
    const handler = implementation.handlers[method.localName] as never;
    const { path, encodeAnswer, decodeRequest } = codecOf(method);
    const encode = (answer: Message) => {
      const bytes = encodeAnswer(answer);
      const { answerBytes } = scope.limits;
      if (bytes.length <= answerBytes) return bytes;
      const message = `the answer has a message of ${bytes.length} bytes; allowed at most ${answerBytes}`;
      throw statusError(status.RESOURCE_EXHAUSTED, message, [], limitMet('answer'));
    };
    const methodScope = { ...scope, method, hooksOf: chain(scope.interceptors, method), header, encode };
    const added = server.register(
      path,
      adapt(handler, methodScope) as never,
      // Encoded before the outcome of a call is told.
      (encoded: Buffer) => encoded,
      decodeRequest,
      kinds[method.methodKind],
    );
    if (!added) throw new Error(`${method.parent.typeName} is implemented twice`);
  }
}

function adapt(handler: never, scope: MethodScope): unknown {
  switch (scope.method.methodKind) {
    case 'unary':
      return unary(handler, scope);
    case 'client_streaming':
      return clientStreaming(handler, scope);
    case 'server_streaming':
      return serverStreaming(handler, scope);
    case 'bidi_streaming':
      return bidiStreaming(handler, scope);
  }
}

function unary(handler: AnyHandler<'unary'>, scope: MethodScope) {
  return (call: ServerUnaryCall<Message, Buffer>, callback: sendUnaryData<Buffer>): void => {
    const context = new ServerCallContext(call, scope);
    const hooks = scope.hooksOf(context);
    void answerOnce(call, callback, context, hooks, scope, () => {
      checkEnd(call);
      hooks.request(call.request);
      return handler(call.request, context);
    });
  };
}

function clientStreaming(handler: AnyHandler<'client_streaming'>, scope: MethodScope) {
  return (call: ServerReadableStream<Message, Buffer>, callback: sendUnaryData<Buffer>): void => {
    const context = new ServerCallContext(call, scope);
    const hooks = scope.hooksOf(context);
    void answerOnce(call, callback, context, hooks, scope, () => handler(requestsOf(call, hooks), context));
  };
}

function serverStreaming(handler: AnyHandler<'server_streaming'>, scope: MethodScope) {
  return (call: ServerWritableStream<Message, Buffer>): void => {
    const context = new ServerCallContext(call, scope, scope.stopping);
    const hooks = scope.hooksOf(context);
    void answerMany(call, context, hooks, scope, () => {
      checkEnd(call);
      hooks.request(call.request);
      return handler(call.request, context);
    });
  };
}

function bidiStreaming(handler: AnyHandler<'bidi_streaming'>, scope: MethodScope) {
  return (call: ServerDuplexStream<Message, Buffer>): void => {
    const context = new ServerCallContext(call, scope, scope.stopping);
    const hooks = scope.hooksOf(context);
    void answerMany(call, context, hooks, scope, () => handler(requestsOf(call, hooks), context));
  };
}

async function answerOnce(
  call: AnyCall,
  callback: sendUnaryData<Buffer>,
  context: ServerCallContext,
  hooks: Hooks,
  scope: MethodScope,
  answer: () => unknown,
): Promise<void> {
  try {
    hooks.start();
    const response = create(scope.method.output, (await answer()) as never);
    hooks.response(response);
    const encoded = scope.encode(response);
    const code = context.cancellation?.code ?? status.OK;
    call.sendMetadata(context.sentHeader);
    callback(null, encoded, context.sentTrailer);
    hooks.end({ code });
  } catch (error) {
    // Nothing was sent yet, so the answer is one block of headers ("Trailers-Only"): Envoy retries only those.
    callback(failure(context.cancellation ?? error, context, hooks, context.header));
  }
}

async function answerMany(
  call: ServerWritableStream<Message, Buffer> | ServerDuplexStream<Message, Buffer>,
  context: ServerCallContext,
  hooks: Hooks,
  scope: MethodScope,
  answers: () => AsyncIterable<unknown>,
): Promise<void> {
  const { signal } = context;
  let headerSent = false;
  try {
    hooks.start();
    for await (const message of answers()) {
      signal.throwIfAborted();
      if (!headerSent) call.sendMetadata(context.sentHeader);
      headerSent = true;
      const response = create(scope.method.output, message as never);
      hooks.response(response);
      // False means that the caller is behind: no further answer is produced until it has caught up.
      if (!call.write(scope.encode(response))) await once(call, 'drain', { signal });
    }
    signal.throwIfAborted();
    if (!headerSent) call.sendMetadata(context.sentHeader);
    call.end(context.sentTrailer);
    hooks.end({ code: status.OK });
  } catch (error) {
    const header = headerSent ? undefined : context.header;
    const failed = failure(signal.aborted ? signal.reason : error, context, hooks, header);
    call.emit('error', Object.assign(new Error(failed.details), failed));
  }
}

/** Leaving the iteration early must not destroy the call, whose answer is still to be sent. */
async function* requestsOf(call: unknown, hooks: Hooks): AsyncGenerator<Message, void> {
  for await (const message of (call as Readable).iterator({ destroyOnReturn: false })) {
    hooks.request(message as Message);
    yield message as Message;
  }
  checkEnd(call);
}

/** @throws StatusError INTERNAL when the requests of a call, which have ended, do not end with a whole message */
function checkEnd(call: unknown): void {
  const { decoder } = (call as { call: { decoder: MessageDecoder } }).call;
  if (!decoder.between) throw statusError(status.INTERNAL, 'the request ends in the middle of a message');
}

/** The status to send for what was thrown, with the header if that was not sent, cut to what headers may hold. */
function failure(error: unknown, context: CallContext, hooks: Hooks, header?: Metadata): StatusObject {
  const { code, details, metadata: own } = toStatus(error);
  hooks.end({ code, error });
  const metadata = header?.clone() ?? new Metadata();
  metadata.merge(own);
  metadata.merge(context.trailer);
  const { sent, left } = sendableStatus({ code, details, metadata });
  if (left.length > 0) {
    context.log.warn({ code: status[code], left }, 'an error was cut to the size that headers may have');
  }
  return sent;
}
