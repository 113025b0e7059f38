import { keysOf, unknownKeys } from '../../../core/keys.ts';
import type { Problem } from '../../../core/problem.ts';
import type { Method, MethodKind } from '../scope/method.ts';
import type { Rate } from './local-rate-limit.ts';

/** How many calls may come in the long run: a whole number from 1. They come back evenly, not all when the time is over. */
type Calls =
  | { readonly perSecond: number; readonly perMinute?: never; readonly perHour?: never }
  | { readonly perMinute: number; readonly perSecond?: never; readonly perHour?: never }
  | { readonly perHour: number; readonly perSecond?: never; readonly perMinute?: never };

/**
 * How many calls may come. Limits are local: each proxy counts for itself, so that with N of them up to N times as
 * many get through; none waits for a server that counts for all. At an edge, the ingress gateways count for each of its `hosts` by
 * itself, as Envoy does for each virtual host: with two hosts, twice as many get through.
 */
export type RateLimit<C extends string> = Calls & {
  /** Calls that may come at once after a pause. A whole number from 1. @default those of the rate */
  readonly burst?: number;
} & (
    | {
        readonly method: Method<MethodKind, C>;
        /** Whether each client has the limit for itself, or all of them together. */
        readonly by: 'client' | 'method';
      }
    | {
        /** @default - all methods together */
        readonly method?: never;
        /** Whether each client has the limit for itself, or all of them together. */
        readonly by: 'client' | 'all';
      }
  );

const limitKeys = keysOf<RateLimit<string>>({
  method: true,
  by: true,
  perSecond: true,
  perMinute: true,
  perHour: true,
  burst: true,
});

const seconds = { perSecond: 1, perMinute: 60, perHour: 3_600 } as const;
const rates = Object.keys(seconds) as readonly (keyof typeof seconds)[];

/** The rate of a limit, and how many calls may come at once. */
export function rateOf(limit: RateLimit<string>): { readonly rate: Rate; readonly burst: number } {
  const [given] = rates.filter((key) => limit[key] !== undefined);
  const [key, calls] = [given ?? 'perSecond', limit[given ?? 'perSecond'] ?? 0];
  return { rate: { calls, seconds: seconds[key] }, burst: limit.burst ?? calls };
}

/** Envoy's tokens are 32-bit. */
const most = 1_000_000_000;

/** What is wrong with the numbers and the kind of limits; plain JavaScript may pass anything. */
export function rateLimitProblems(construct: string, limits: unknown): readonly Problem[] {
  if (!Array.isArray(limits)) {
    return [{ where: `${construct}: rateLimits`, what: 'is not a list', received: limits }];
  }
  const seen = new Set<string>();
  return limits.flatMap((limit: unknown, index): readonly Problem[] => {
    const where = `${construct}: rateLimits[${index}]`;
    const given = (limit ?? {}) as Partial<Record<keyof RateLimit<string>, unknown>>;
    const { method, burst, by } = given;
    const problems: Problem[] = unknownKeys(where, limit, limitKeys);
    const kinds = method === undefined ? ['client', 'all'] : ['client', 'method'];
    if (!kinds.includes(by as string)) {
      problems.push({
        where: `${where}.by`,
        what: 'is not a way to count calls',
        received: by,
        allowed: kinds.join(', '),
      });
    }
    const [key = 'perSecond', ...more] = rates.filter((one) => given[one] !== undefined);
    const calls = given[key];
    if (more.length > 0) {
      const what = 'has more than one rate';
      problems.push({ where, what, received: [key, ...more].join(', '), allowed: 'one of them' });
    } else if (!isCount(calls)) {
      const allowed = `a whole number from 1 to ${most}`;
      problems.push({ where: `${where}.${key}`, what: 'is not a rate', received: calls, allowed });
    } else if (burst !== undefined && !isCount(burst)) {
      const allowed = `a whole number from 1 to ${most}`;
      problems.push({ where: `${where}.burst`, what: 'is not a burst size', received: burst, allowed });
    }
    const name = `${nameOf(method)} by ${String(by)}`;
    if (seen.has(name))
      problems.push({ where, what: 'the same limit is declared already', received: name, fix: 'remove one' });
    seen.add(name);
    return problems;
  });
}

/** What a limit is about: `shop.catalog.v1.CatalogService/GetProduct`, or `all`. */
export function nameOf(method: unknown): string {
  if (method === undefined) return 'all';
  const { descriptor } = (method ?? {}) as Partial<Method>;
  return descriptor === undefined ? '?' : `${descriptor.parent.typeName}/${descriptor.name}`;
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= most;
}
