import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { status } from '@grpc/grpc-js';
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
import { statusError, toStatus } from '../status.ts';
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
}

const kinds = {
  unary: 'unary',
  client_streaming: 'clientStream',
  server_streaming: 'serverStream',
  bidi_streaming: 'bidi',
} as const;

/** Registers every method of an implementation with a grpc-js server. */
export function register(server: Server, implementation: Implementation, scope: ServerScope): void {
  for (const method of implementation.service.methods) {
    const handler = implementation.handlers[method.localName] as never;
    const methodScope = { ...scope, method, hooksOf: chain(scope.interceptors, method) };
    const { path, encodeAnswer, decodeRequest } = codecOf(method);
    const added = server.register(
      path,
      adapt(handler, methodScope) as never,
      encodeAnswer,
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
  return (call: ServerUnaryCall<Message, Message>, callback: sendUnaryData<Message>): void => {
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
  return (call: ServerReadableStream<Message, Message>, callback: sendUnaryData<Message>): void => {
    const context = new ServerCallContext(call, scope);
    const hooks = scope.hooksOf(context);
    void answerOnce(call, callback, context, hooks, scope, () => handler(requestsOf(call, hooks), context));
  };
}

function serverStreaming(handler: AnyHandler<'server_streaming'>, scope: MethodScope) {
  return (call: ServerWritableStream<Message, Message>): void => {
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
  return (call: ServerDuplexStream<Message, Message>): void => {
    const context = new ServerCallContext(call, scope, scope.stopping);
    const hooks = scope.hooksOf(context);
    void answerMany(call, context, hooks, scope, () => handler(requestsOf(call, hooks), context));
  };
}

async function answerOnce(
  call: AnyCall,
  callback: sendUnaryData<Message>,
  context: ServerCallContext,
  hooks: Hooks,
  scope: MethodScope,
  answer: () => unknown,
): Promise<void> {
  try {
    hooks.start();
    const response = create(scope.method.output, (await answer()) as never);
    hooks.response(response);
    const code = context.cancellation?.code ?? status.OK;
    call.sendMetadata(context.header);
    callback(null, response, context.trailer);
    hooks.end({ code });
  } catch (error) {
    // Nothing was sent yet, so the answer is one block of headers ("Trailers-Only"): Envoy retries only those.
    const failed = failure(context.cancellation ?? error, context, hooks);
    failed.metadata.merge(context.header);
    callback(failed);
  }
}

async function answerMany(
  call: ServerWritableStream<Message, Message> | ServerDuplexStream<Message, Message>,
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
      if (!headerSent) call.sendMetadata(context.header);
      headerSent = true;
      const response = create(scope.method.output, message as never);
      hooks.response(response);
      // False means that the caller is behind: no further answer is produced until it has caught up.
      if (!call.write(response)) await once(call, 'drain', { signal });
    }
    signal.throwIfAborted();
    if (!headerSent) call.sendMetadata(context.header);
    call.end(context.trailer);
    hooks.end({ code: status.OK });
  } catch (error) {
    const failed = failure(signal.aborted ? signal.reason : error, context, hooks);
    if (!headerSent) failed.metadata.merge(context.header);
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
  if (!decoder.between) throw statusError(status.INTERNAL, 'the request ends within a message');
}

function failure(error: unknown, context: CallContext, hooks: Hooks): StatusObject {
  const failed = toStatus(error);
  hooks.end({ code: failed.code, error });
  const metadata = failed.metadata.clone();
  metadata.merge(context.trailer);
  return { ...failed, metadata };
}
