import { setTimeout as sleep } from 'node:timers/promises';
import { ProblemsError } from './problem.ts';

export interface WaitOptions {
  /** What is awaited, for people: `deployment istio-system/istiod available in east`. */
  readonly what: string;
  /** Limit in milliseconds. */
  readonly timeoutMs: number;
  /** Pause between two looks, in milliseconds. @default 250 */
  readonly intervalMs?: number;
  /** Where to look when the limit passes: a log path, the failing pod's last events. Asked for only then. */
  readonly whereToLook?: () => string | Promise<string>;
  readonly signal?: AbortSignal;
}

/** A look's answer: done with a value, or not yet and why. */
export type Look<T> =
  { readonly done: true; readonly value: T } | { readonly done: false; readonly because: string };

/**
 * Looks until it is done, and returns the value. An exception in a look ends the wait: a look that may fail
 * for a while (a server not up yet) says so by `done: false`.
 * @throws ProblemsError (exit code 1) naming what was awaited, what was last seen and where to look.
 */
export async function waitFor<T>(options: WaitOptions, look: () => Promise<Look<T>> | Look<T>): Promise<T> {
  const started = Date.now();
  for (;;) {
    options.signal?.throwIfAborted();
    const seen = await look();
    if (seen.done) return seen.value;
    if (Date.now() - started >= options.timeoutMs) {
      const where = await options.whereToLook?.();
      throw new ProblemsError(
        [
          {
            where: options.what,
            what: `not reached within ${Math.round(options.timeoutMs / 1000)} s: ${seen.because}`,
            ...(where === undefined ? {} : { fix: `look at ${where}, then run the command again` }),
          },
        ],
        1,
      );
    }
    await sleep(options.intervalMs ?? 250, undefined, options.signal ? { signal: options.signal } : {});
  }
}
