import type { EventEmitter } from 'node:events';
import { Metadata, status } from '@grpc/grpc-js';
import type { ServerUnaryCall } from '@grpc/grpc-js';
import type { Message } from '@bufbuild/protobuf';
import type { Span } from '@opentelemetry/api';
import type { CallContext } from '../handlers.ts';
import type { Logger } from '../log.ts';
import { sendableMetadata } from './sendable.ts';
import { statusError } from '../status.ts';
import type { StatusError } from '../status.ts';
import { traceIdsOf } from '../telemetry/trace-context.ts';

/** What the four kinds of grpc-js calls have in common. */
export type AnyCall = EventEmitter &
  Pick<
    ServerUnaryCall<Message, Message>,
    'metadata' | 'getDeadline' | 'getPeer' | 'sendMetadata' | 'cancelled'
  >;

/** Why the caller no longer waits; shared by all calls, because grpc-js emits 'cancelled' at the end of each. */
const cancelled = statusError(status.CANCELLED, 'the call was cancelled');
const late = statusError(status.DEADLINE_EXCEEDED, 'the deadline has passed');

/** The context of a call to a server. Parts that few handlers use are created on first use. */
export class ServerCallContext implements CallContext {
  readonly metadata: Metadata;
  readonly deadline: number;
  #header: Metadata | undefined;
  #trailer: Metadata | undefined;
  readonly #servedBy: Metadata;
  span: Span | undefined;
  readonly #call: AnyCall;
  readonly #log: Logger;
  readonly #stopping: AbortSignal | undefined;
  #signal: AbortSignal | undefined;
  #ownLog: Logger | undefined;

  /** @param stopping - also ends the call, apart from its caller */
  constructor(call: AnyCall, scope: { header: Metadata; log: Logger }, stopping?: AbortSignal) {
    this.#call = call;
    this.#stopping = stopping;
    this.metadata = call.metadata;
    this.deadline = Number(call.getDeadline());
    this.#servedBy = scope.header;
    this.#log = scope.log;
  }

  get header(): Metadata {
    this.#header ??= this.#servedBy.clone();
    return this.#header;
  }

  get trailer(): Metadata {
    this.#trailer ??= new Metadata();
    return this.#trailer;
  }

  /** The header as it can be sent. */
  get sentHeader(): Metadata {
    return this.#header === undefined ? this.#servedBy : this.#sendable(this.#header);
  }

  /** The trailer as it can be sent. */
  get sentTrailer(): Metadata | undefined {
    return this.#trailer && this.#sendable(this.#trailer);
  }

  get log(): Logger {
    this.#ownLog ??= this.#withIds();
    return this.#ownLog;
  }

  get peer(): string {
    return this.#call.getPeer();
  }

  get signal(): AbortSignal {
    this.#signal ??= this.#watch();
    return this.#signal;
  }

  /** Why the caller no longer waits for the answer; undefined while it does. */
  get cancellation(): StatusError | undefined {
    if (!this.#call.cancelled) return undefined;
    return Date.now() < this.deadline ? cancelled : late;
  }

  #sendable(metadata: Metadata): Metadata {
    const { sent, left } = sendableMetadata(metadata);
    if (left.length > 0) this.log.warn({ left }, 'some metadata of an answer was left out');
    return sent;
  }

  #withIds(): Logger {
    const span = this.span?.spanContext();
    if (span !== undefined) return this.#log.child({ trace_id: span.traceId, span_id: span.spanId });
    const values = this.metadata.get('traceparent');
    const ids = values.length === 1 ? traceIdsOf(values[0]) : undefined;
    return ids === undefined ? this.#log : this.#log.child(ids);
  }

  #watch(): AbortSignal {
    const ended = new AbortController();
    if (this.#call.cancelled) ended.abort(this.cancellation);
    else {
      this.#call.once('cancelled', () => {
        ended.abort(this.cancellation);
      });
    }
    return this.#stopping === undefined ? ended.signal : AbortSignal.any([ended.signal, this.#stopping]);
  }
}
