import type { status } from '@grpc/grpc-js';
import type { DescMethod, Message } from '@bufbuild/protobuf';
import type { CallContext } from '../handlers.ts';

/**
 * A function that is called once for each method when the server starts, and returns a function to run at the start of each
 * call of that method, or undefined to skip the method. Logging, metrics, tracing and validation are interceptors. Compute
 * here what does not change between calls.
 */
export type Interceptor = (method: DescMethod) => StartOfCall | undefined;

/**
 * Runs when a call has arrived, before its first message is read. It and the hooks it returns run in the order of the
 * interceptors and must not block: long work belongs in a handler.
 * @throws StatusError to reject the call with that status
 */
export type StartOfCall = (context: CallContext) => CallHooks | undefined;

/** The hooks of an interceptor for one call. */
export interface CallHooks {
  /**
   * Called with each request before the handler gets it.
   * @throws StatusError to end the call with that status; a streaming handler sees it while iterating its requests
   */
  request?(message: Message): void;
  /** Called with each answer before it is sent. */
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

/** Combines the interceptors of one method. */
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

  /** Call it once, before the other methods. When an interceptor throws, those that started before it still get `end`. */
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

  /** What an interceptor throws at the end is logged: the others still get `end`, and the caller its answer. */
  end(outcome: Outcome): void {
    for (const hooks of this.#started.reverse()) {
      try {
        hooks.end?.(outcome);
      } catch (error) {
        this.#context.log.error({ err: error }, 'an interceptor failed at the end of a call');
      }
    }
  }
}
