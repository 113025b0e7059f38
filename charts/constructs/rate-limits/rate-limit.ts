import { keysOf, unknownKeys } from '../../../core/keys.ts';
import type { Problem } from '../../../core/problem.ts';
import type { Method, MethodKind } from '../scope/method.ts';

/**
 * How many calls may come. Limits are local: each proxy counts for itself, so that with N of them up to N times as
 * many get through; none waits for a server that counts for all.
 */
export type RateLimit<C extends string> = {
  /** Calls a second, in the long run. A whole number from 1. */
  readonly perSecond: number;
  /** Calls that may come at once after a pause. A whole number, not less than perSecond. @default perSecond */
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

const limitKeys = keysOf<RateLimit<string>>({ method: true, by: true, perSecond: true, burst: true });

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
    const { method, perSecond, burst, by } = (limit ?? {}) as Partial<
      Record<keyof RateLimit<string>, unknown>
    >;
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
    if (!isCount(perSecond)) {
      const allowed = `a whole number from 1 to ${most}`;
      problems.push({ where: `${where}.perSecond`, what: 'is not a rate', received: perSecond, allowed });
    } else if (burst !== undefined && !(isCount(burst) && burst >= perSecond)) {
      const allowed = `a whole number from perSecond, ${perSecond}, to ${most}`;
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
