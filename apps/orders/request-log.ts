import { status } from '@grpc/grpc-js';
import { statusError } from '../runtime/status.ts';
import type { StatusError } from '../runtime/status.ts';

/** What came of carrying a request out: it was answered, or refused, or nothing is known, so that it may be tried again. */
export type Outcome<A> =
  | { readonly kind: 'answered'; readonly answer: A }
  | { readonly kind: 'refused'; readonly error: StatusError }
  | { readonly kind: 'unknown' };

/** Who carries a request out. */
export type Claim<A> =
  | {
      readonly kind: 'ours';
      /** To be called once, at the end. An answer is kept, anything else frees the key. */
      readonly settle: (outcome: Outcome<A>) => Promise<void>;
    }
  | {
      readonly kind: 'taken';
      /** Of the request that has the key. */
      readonly fingerprint: string;
      /** What came of it; at once when it is over. */
      readonly outcome: Promise<Outcome<A>>;
    };

/**
 * Requests by their keys, with what came of them. A database would go behind this, so that replicas share it: a claim is
 * an insert under a unique key, with a lease that ends when its owner dies.
 */
export interface RequestLog<A> {
  /**
   * Takes the key for a request, if no other has it.
   * @throws StatusError RESOURCE_EXHAUSTED when too many are under way
   */
  claim(key: string, fingerprint: string): Promise<Claim<A>>;
}

interface Entry<A> {
  readonly fingerprint: string;
  readonly outcome: Promise<Outcome<A>>;
}

export interface LogLimits {
  /** How long an answer is kept. Milliseconds. @default a day */
  readonly keepMs?: number;
  /** How many entries; the oldest answers make room. @default 10000 */
  readonly most?: number;
  /** Milliseconds since 1970. @default Date.now */
  readonly now?: () => number;
}

/** Keeps them in memory, as long as the process lives. */
export function memoryRequestLog<A>(limits: LogLimits = {}): RequestLog<A> {
  const { keepMs = 86_400_000, most = 10_000, now = Date.now } = limits;
  // Those under way in the order in which they came, answers in that in which they were given.
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
      throw statusError(status.RESOURCE_EXHAUSTED, 'too many requests are under way; call again later');
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
