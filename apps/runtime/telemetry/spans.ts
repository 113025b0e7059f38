import type { Client, Metadata, status } from '@grpc/grpc-js';
import type { DescMethod } from '@bufbuild/protobuf';
import type { CallContext } from '../handlers.ts';
import type { Interceptor } from '../server/interceptors.ts';

/** The spans of a program, for those who make calls and those who answer them. */
export interface Tracing {
  /** Begins the span of each call that is answered, as a child of the caller's, and sets `context.span`. */
  readonly interceptor: Interceptor;
  /** Begins the span of a call that is made, as a child of the parent's, and puts it into the call's metadata. */
  startCall(call: StartedCall): CallSpan;
  /** Sends what was not sent yet, and ends. Resolves within 2 s, whether the collector answers or not. */
  stop(): Promise<void>;
}

export interface StartedCall {
  readonly method: DescMethod;
  readonly client: Client;
  /** The call being answered. Without one the span is a child of what the metadata names, or the first of a trace. */
  readonly parent: CallContext | undefined;
  readonly metadata: Metadata;
}

export interface CallSpan {
  /** To be called once, when the call is over. */
  end(code: status): void;
}

/** What the resource of every span says of the program. */
export interface Program {
  readonly name: string;
  /** @default - not known */
  readonly version?: string | undefined;
  readonly cluster: string;
  readonly pod: string;
  /** @default - not known */
  readonly namespace?: string | undefined;
}
