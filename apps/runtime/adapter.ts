import { once } from 'node:events';
import type { EventEmitter } from 'node:events';
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
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import type { DescMethod, Message } from '@bufbuild/protobuf';
import type { CallContext, Handler, Implementation } from './handlers.ts';
import type { Logger } from './log.ts';
import { statusError, toStatus } from './status.ts';

/** What all calls of a server share. */
export interface ServerScope {
  /** Value of `x-served-by` on every answer. */
  readonly servedBy: string;
  readonly log: Logger;
  /** Aborted when the server stops taking calls: open streams end. */
  readonly stopping: AbortSignal;
}

type AnyHandler<Kind extends DescMethod['methodKind']> = Handler<
  Kind,
  DescMethod['input'],
  DescMethod['output']
>;
type AnyCall = EventEmitter &
  Pick<ServerUnaryCall<Message, Message>, 'metadata' | 'getDeadline' | 'sendMetadata'>;

/** Why a signal is aborted; one for all calls, because grpc-js says so at the end of each. */
const cancelled = statusError(status.CANCELLED, 'the call was cancelled');

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
    const added = server.register(
      `/${method.parent.typeName}/${method.name}`,
      adapt(method, handler, scope) as never,
      (message: Message) => toBuffer(toBinary(method.output, message)),
      (bytes: Buffer) => fromBinary(method.input, bytes),
      kinds[method.methodKind],
    );
    if (!added) throw new Error(`${method.parent.typeName} is implemented twice`);
  }
}

function adapt(method: DescMethod, handler: never, scope: ServerScope): unknown {
  switch (method.methodKind) {
    case 'unary':
      return unary(method, handler, scope);
    case 'client_streaming':
      return clientStreaming(method, handler, scope);
    case 'server_streaming':
      return serverStreaming(method, handler, scope);
    case 'bidi_streaming':
      return bidiStreaming(method, handler, scope);
  }
}

function unary(method: DescMethod, handler: AnyHandler<'unary'>, scope: ServerScope) {
  return (call: ServerUnaryCall<Message, Message>, callback: sendUnaryData<Message>): void => {
    const context = contextOf(call, scope);
    void answerOnce(call, callback, method, context, scope, () => handler(call.request, context));
  };
}

function clientStreaming(method: DescMethod, handler: AnyHandler<'client_streaming'>, scope: ServerScope) {
  return (call: ServerReadableStream<Message, Message>, callback: sendUnaryData<Message>): void => {
    const context = contextOf(call, scope);
    void answerOnce(call, callback, method, context, scope, () => handler(requestsOf(call), context));
  };
}

function serverStreaming(method: DescMethod, handler: AnyHandler<'server_streaming'>, scope: ServerScope) {
  return (call: ServerWritableStream<Message, Message>): void => {
    const context = contextOf(call, scope, scope.stopping);
    void answerMany(call, method, context, scope, () => handler(call.request, context));
  };
}

function bidiStreaming(method: DescMethod, handler: AnyHandler<'bidi_streaming'>, scope: ServerScope) {
  return (call: ServerDuplexStream<Message, Message>): void => {
    const context = contextOf(call, scope, scope.stopping);
    void answerMany(call, method, context, scope, () => handler(requestsOf(call), context));
  };
}

async function answerOnce(
  call: AnyCall,
  callback: sendUnaryData<Message>,
  method: DescMethod,
  context: CallContext,
  scope: ServerScope,
  answer: () => unknown,
): Promise<void> {
  const started = performance.now();
  try {
    const response = create(method.output, (await answer()) as never);
    call.sendMetadata(context.header);
    callback(null, response);
    logCall(scope, method, status.OK, started);
  } catch (error) {
    // Nothing was sent yet, so the answer is one block of headers ("Trailers-Only"): Envoy retries only those.
    const failed = failure(error, method, context, scope, started);
    failed.metadata.merge(context.header);
    callback(failed);
  }
}

async function answerMany(
  call: ServerWritableStream<Message, Message> | ServerDuplexStream<Message, Message>,
  method: DescMethod,
  context: CallContext,
  scope: ServerScope,
  answers: () => AsyncIterable<unknown>,
): Promise<void> {
  const started = performance.now();
  let headerSent = false;
  try {
    for await (const message of answers()) {
      if (!headerSent) call.sendMetadata(context.header);
      headerSent = true;
      context.signal.throwIfAborted();
      // False says the caller is behind: no further answer is made before it has caught up.
      if (!call.write(create(method.output, message as never)))
        await once(call, 'drain', { signal: context.signal });
    }
    context.signal.throwIfAborted();
    if (!headerSent) call.sendMetadata(context.header);
    call.end();
    logCall(scope, method, status.OK, started);
  } catch (error) {
    const cause: unknown = context.signal.aborted ? context.signal.reason : error;
    const failed = failure(cause, method, context, scope, started);
    if (!headerSent) failed.metadata.merge(context.header);
    call.emit('error', Object.assign(new Error(failed.details), failed));
  }
}

function contextOf(call: AnyCall, scope: ServerScope, stopping?: AbortSignal): CallContext {
  const ended = new AbortController();
  call.once('cancelled', () => {
    ended.abort(cancelled);
  });
  const header = new Metadata();
  header.set('x-served-by', scope.servedBy);
  return {
    metadata: call.metadata,
    deadline: Number(call.getDeadline()),
    signal: stopping === undefined ? ended.signal : AbortSignal.any([ended.signal, stopping]),
    header,
  };
}

/** Iterating to an early end must not destroy the call: its answer is still to be sent. */
function requestsOf(call: unknown): AsyncIterable<Message> {
  return (call as Readable).iterator({ destroyOnReturn: false });
}

function failure(
  error: unknown,
  method: DescMethod,
  context: CallContext,
  scope: ServerScope,
  started: number,
): StatusObject {
  const failed = toStatus(error);
  if (failed.code === status.INTERNAL && !context.signal.aborted) {
    scope.log.error({ err: error, method: nameOf(method) }, 'call failed');
  }
  logCall(scope, method, failed.code, started);
  return { ...failed, metadata: failed.metadata.clone() };
}

function logCall(scope: ServerScope, method: DescMethod, code: status, started: number): void {
  scope.log.debug(
    { method: nameOf(method), code: status[code], ms: Math.round(performance.now() - started) },
    'call',
  );
}

function nameOf(method: DescMethod): string {
  return `${method.parent.typeName}/${method.name}`;
}

function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
