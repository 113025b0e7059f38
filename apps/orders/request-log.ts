import { status } from '@grpc/grpc-js';
import { statusError } from '../runtime/status.ts';
import type { StatusError } from '../runtime/status.ts';

/** The outcome of a request: it was answered, or refused, or is unknown, so that it may be tried again. */
export type Outcome<A> =
  | { readonly kind: 'answered'; readonly answer: A }
  | { readonly kind: 'refused'; readonly error: StatusError }
  | { readonly kind: 'unknown' };

/** Whether this caller executes the request, or another one does. */
export type Claim<A> =
  | {
      readonly kind: 'ours';
      /** Call it once, at the end. An answer is stored; any other outcome frees the key. */
      readonly settle: (outcome: Outcome<A>) => Promise<void>;
    }
  | {
      readonly kind: 'taken';
      /** Fingerprint of the request that has the key. */
      readonly fingerprint: string;
      /** Its outcome; resolved already when the request is complete. */
      readonly outcome: Promise<Outcome<A>>;
    };

/**
 * Requests by key, with their outcomes. A real database would implement this interface, so that replicas share it: a claim
 * would be an insert under a unique key, with a lease that ends when its owner dies.
 */
export interface RequestLog<A> {
  /**
   * Claims the key for a request, if no other request has it.
   * @throws StatusError RESOURCE_EXHAUSTED when too many requests are in progress
   */
  claim(key: string, fingerprint: string): Promise<Claim<A>>;
}

interface Entry<A> {
  readonly fingerprint: string;
  readonly outcome: Promise<Outcome<A>>;
}

export interface LogLimits {
  /** How long an answer is kept. Milliseconds. @default one day */
  readonly keepMs?: number;
  /** Maximum number of entries; the oldest answers are dropped for new ones. @default 10000 */
  readonly most?: number;
  /** Milliseconds since 1970. @default Date.now */
  readonly now?: () => number;
}

/** Keeps requests in memory, for as long as the process lives. */
export function memoryRequestLog<A>(limits: LogLimits = {}): RequestLog<A> {
  const { keepMs = 86_400_000, most = 10_000, now = Date.now } = limits;
  // Requests in progress in the order of their arrival, answers in the order of their completion.
  const running = new Map<string, Entry<A>>();
  const answered = new Map<string, Entry<A> & { readonly expires: number }>();

  const makeRoom = () => {
    const time = now();
    for (const [key, { expires }] of answered) {
      if (expires > time && running.size + answered.size <= most) return;
      answered.delete(key);
    }
  };

  const claim = (key: string, fingerprint: string): Claim<A> => {
    makeRoom();
    const found = running.get(key) ?? answered.get(key);
    if (found !== undefined) return { kind: 'taken', ...found };
    if (running.size >= most) {
      throw statusError(status.RESOURCE_EXHAUSTED, 'too many requests are in progress; call again later');
    }
    const { promise: outcome, resolve } = Promise.withResolvers<Outcome<A>>();
    const entry = { fingerprint, outcome };
    running.set(key, entry);
    const settle = (settled: Outcome<A>) => {
      running.delete(key);
      if (settled.kind === 'answered') answered.set(key, { ...entry, expires: now() + keepMs });
      resolve(settled);
      return Promise.resolve();
    };
    return { kind: 'ours', settle };
  };

  return {
    claim: (key, fingerprint) =>
      new Promise((resolve) => {
        resolve(claim(key, fingerprint));
      }),
  };
}
