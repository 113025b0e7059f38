import type { status } from '@grpc/grpc-js';
import type { DescMethod, Message } from '@bufbuild/protobuf';
import type { CallContext } from '../handlers.ts';

/**
 * Something that every call of a server passes: logging, metrics, tracing and validation are interceptors. It is asked
 * once for each method when the server starts, and answers with what is to run at the start of each call of that
 * method, or undefined to leave the method alone. What does not change between calls is worked out here.
 */
export type Interceptor = (method: DescMethod) => StartOfCall | undefined;

/**
 * Runs when a call has arrived, before its first message is looked at. It, and the hooks it returns, run in the order
 * of the interceptors and must not wait: a handler does what takes time.
 * @throws StatusError to refuse the call with that status
 */
export type StartOfCall = (context: CallContext) => CallHooks | undefined;

/** What an interceptor does during one call. */
export interface CallHooks {
  /**
   * Sees each request before the handler does.
   * @throws StatusError to end the call with that status; a streaming handler gets it from its requests
   */
  request?(message: Message): void;
  /** Sees each answer before it is sent. */
  response?(message: Message): void;
  /** Runs exactly once, in the reverse order of the interceptors, when the status of the call is known. */
  end?(outcome: Outcome): void;
}

/** How a call ended. */
export interface Outcome {
  readonly code: status;
  /** What the handler or an interceptor threw; undefined for an answered call. */
  readonly error?: unknown;
}

/** The interceptors of one method, as one. */
export function chain(
  interceptors: readonly Interceptor[],
  method: DescMethod,
): (call: CallContext) => Hooks {
  const starts = interceptors.map((each) => each(method)).filter((each) => each !== undefined);
  return (context) => new Hooks(starts, context);
}

/** The hooks of one call. */
export class Hooks {
  readonly #starts: readonly StartOfCall[];
  readonly #context: CallContext;
  readonly #started: CallHooks[] = [];

  constructor(starts: readonly StartOfCall[], context: CallContext) {
    this.#starts = starts;
    this.#context = context;
  }

  /** To be called once, first. Those that began when one of them throws still see the end. */
  start(): void {
    for (const start of this.#starts) {
      const hooks = start(this.#context);
      if (hooks !== undefined) this.#started.push(hooks);
    }
  }

  request(message: Message): void {
    for (const hooks of this.#started) hooks.request?.(message);
  }

  response(message: Message): void {
    for (const hooks of this.#started) hooks.response?.(message);
  }

  end(outcome: Outcome): void {
    for (const hooks of this.#started.reverse()) hooks.end?.(outcome);
  }
}
