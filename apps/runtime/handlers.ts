import type { Metadata } from '@grpc/grpc-js';
import type {
  DescMessage,
  DescMethod,
  DescService,
  MessageInitShape,
  MessageShape,
} from '@bufbuild/protobuf';
import type { Span } from '@opentelemetry/api';
import type { GenService, GenServiceMethods } from '@bufbuild/protobuf/codegenv2';
import type { Logger } from './log.ts';

/** The context of a call, apart from its request. */
export interface CallContext {
  /** Address of the caller; in a mesh, that of the proxy beside the server. */
  readonly peer: string;
  /** Metadata of the request. */
  readonly metadata: Metadata;
  /** Deadline of the call, in milliseconds since 1970; Infinity when it has none. */
  readonly deadline: number;
  /**
   * Aborted when the caller cancelled or its deadline passed; for a method that streams its answers, also when the server
   * is about to stop: the caller then gets UNAVAILABLE and calls again. A handler that waits must end when it is aborted.
   */
  readonly signal: AbortSignal;
  /** Initial metadata of the answer, sent before the first message, or with the status of an error. */
  readonly header: Metadata;
  /** Trailing metadata of the answer, sent with its status. */
  readonly trailer: Metadata;
  /**
   * The program's log, with `trace_id` and `span_id` when the call belongs to a trace: the ids of its span, or without
   * tracing those of its caller's span. Never log metadata or messages.
   */
  readonly log: Logger;
  /** The call's span, parent of the spans of the calls it makes; undefined without tracing (apps/runtime/telemetry/tracing.ts). */
  span?: Span | undefined;
}

type Answer<T> = T | Promise<T>;
type MethodShape = Pick<DescMethod, 'input' | 'output' | 'methodKind'>;

/** A handler by kind of method. Requests and answers are read no faster than the other side accepts them. */
export type Handler<Kind extends DescMethod['methodKind'], I extends DescMessage, O extends DescMessage> = {
  unary: (request: MessageShape<I>, context: CallContext) => Answer<MessageInitShape<O>>;
  server_streaming: (request: MessageShape<I>, context: CallContext) => AsyncIterable<MessageInitShape<O>>;
  client_streaming: (
    requests: AsyncIterable<MessageShape<I>>,
    context: CallContext,
  ) => Answer<MessageInitShape<O>>;
  bidi_streaming: (
    requests: AsyncIterable<MessageShape<I>>,
    context: CallContext,
  ) => AsyncIterable<MessageInitShape<O>>;
}[Kind];

type HandlerOf<M extends MethodShape> = Handler<M['methodKind'], M['input'], M['output']>;

/** One handler per method of a service, typed by its proto. */
export type Handlers<S extends DescService> =
  S extends GenService<infer M extends GenServiceMethods>
    ? { readonly [K in keyof M]: HandlerOf<M[K]> }
    : never;

/** A service and its handlers, as a server expects them. */
export interface Implementation {
  readonly service: DescService;
  readonly handlers: Readonly<Record<string, unknown>>;
}

/** Combines a service with its handlers; the compiler requires a handler for every method. */
export function implement<S extends DescService>(service: S, handlers: Handlers<S>): Implementation {
  return { service, handlers };
}
