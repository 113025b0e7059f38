import type { Client, Metadata, status } from '@grpc/grpc-js';
import type { DescMethod } from '@bufbuild/protobuf';
import type { CallContext } from '../handlers.ts';
import type { Interceptor } from '../server/interceptors.ts';

/** The spans of a program, for outgoing and incoming calls. */
export interface Tracing {
  /** Starts the span of each incoming call, as a child of the caller's span, and sets `context.span`. */
  readonly interceptor: Interceptor;
  /** Starts the span of an outgoing call, as a child of the parent's span, and adds it to the call's metadata. */
  startCall(call: StartedCall): CallSpan;
  /** Sends the remaining spans, and stops. Resolves within 2 s, whether the collector answers or not. */
  stop(): Promise<void>;
}

export interface StartedCall {
  readonly method: DescMethod;
  readonly client: Client;
  /** The call being answered. Without one, the span is a child of the span in the metadata, or the first of a trace. */
  readonly parent: CallContext | undefined;
  readonly metadata: Metadata;
}

export interface CallSpan {
  /** Call it once, when the call has ended. */
  end(code: status): void;
}

/** Attributes of the program in the resource of every span. */
export interface Program {
  readonly name: string;
  /** @default - not known */
  readonly version?: string | undefined;
  readonly cluster: string;
  readonly pod: string;
  /** @default - not known */
  readonly namespace?: string | undefined;
}
