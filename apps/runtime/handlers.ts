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

/** What a handler knows of its call besides the request. */
export interface CallContext {
  /** Address of the caller: in a mesh that of the proxy beside the server. */
  readonly peer: string;
  /** Of the request. */
  readonly metadata: Metadata;
  /** When the caller gives up, in milliseconds since 1970; Infinity when it does not. */
  readonly deadline: number;
  /**
   * Aborted when nobody waits for the answer any more: the caller cancelled or its deadline passed. For a method that
   * streams its answers also when the server is about to stop; the caller then gets UNAVAILABLE and calls again.
   * A handler that waits must end when it is aborted.
   */
  readonly signal: AbortSignal;
  /** Initial metadata of the answer, sent before the first message, or with the status of an error. */
  readonly header: Metadata;
  /** Trailing metadata of the answer, sent with its status. */
  readonly trailer: Metadata;
  /**
   * The program's log; with `trace_id` and `span_id` when the call belongs to a trace: those of its span, or without
   * tracing those of its caller's. Never hand it metadata or messages.
   */
  readonly log: Logger;
  /** The call's span, a parent of those of the calls it makes; undefined without tracing (apps/runtime/telemetry/tracing.ts). */
  span?: Span | undefined;
}

type Answer<T> = T | Promise<T>;
type MethodShape = Pick<DescMethod, 'input' | 'output' | 'methodKind'>;

/** A handler by kind of method. Requests arrive, and answers are asked for, no faster than the other side takes them. */
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

/** A service and its handlers, as a server takes them. */
export interface Implementation {
  readonly service: DescService;
  readonly handlers: Readonly<Record<string, unknown>>;
}

/** Joins a service with its handlers; the compiler asks for every method. */
export function implement<S extends DescService>(service: S, handlers: Handlers<S>): Implementation {
  return { service, handlers };
}
