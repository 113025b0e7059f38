import { setTimeout as sleep } from 'node:timers/promises';
import { ProblemsError } from './problem.ts';

export interface WaitOptions {
  /** What is awaited, as shown to the user: `deployment istio-system/istiod available in east`. */
  readonly what: string;
  /** Time limit in milliseconds. */
  readonly timeoutMs: number;
  /** Pause between two checks, in milliseconds. @default 250 */
  readonly intervalMs?: number;
  /** Where to look after a time-out: a log path, the failing pod's last events. Called only then. */
  readonly whereToLook?: () => string | Promise<string>;
  readonly signal?: AbortSignal;
}

/** The result of one check: done with a value, or not done yet and why. */
export type Look<T> =
  { readonly done: true; readonly value: T } | { readonly done: false; readonly because: string };

/**
 * Calls `look` until it is done, and returns its value. An exception ends the wait: a check that may fail for a while
 * (a server that is not up yet) returns `done: false`.
 * @throws ProblemsError (exit code 1) with what was awaited, the last result and where to look.
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
