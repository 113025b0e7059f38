import { unknownKeys } from '../../../core/keys.ts';
import { nearest } from '../../../core/names.ts';
import type { Problem } from '../../../core/problem.ts';

/** A mapping that plain JavaScript may have passed. */
export type Mapping = Readonly<Record<string, unknown>>;

/** istiod counts in parts of a million, and makes nothing of what is less than one. */
const leastPercent = 0.0001;

/** Problems of one construct while its properties are looked at, each with the property's path. */
export class Findings {
  readonly problems: Problem[] = [];
  readonly #where: string;

  constructor(where: string) {
    this.#where = where;
  }

  add(path: string, problem: Omit<Problem, 'where'>): void {
    this.problems.push({ where: `${this.#where}: ${path}`, ...problem });
  }

  /** The value, when it is a mapping; its unknown keys are problems. An absent value is no mapping and no problem. */
  mapping(path: string, value: unknown, known: readonly string[]): Mapping | undefined {
    if (value === undefined) return undefined;
    const keys = known.join(', ');
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      this.add(path, {
        what: 'is not an object',
        received: value,
        allowed: `an object with the keys ${keys}`,
      });
      return undefined;
    }
    this.problems.push(...unknownKeys(path === '' ? this.#where : `${this.#where}: ${path}`, value, known));
    return value as Mapping;
  }

  /** The value, when it is a list. */
  list(path: string, value: unknown): readonly unknown[] {
    if (value === undefined) return [];
    if (Array.isArray(value)) return value as readonly unknown[];
    this.add(path, { what: 'is not a list', received: value });
    return [];
  }

  /** Checks a whole number; absent is right. */
  whole(path: string, value: unknown, least: number, most: number): void {
    if (value === undefined) return;
    if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return;
    const allowed = `a whole number from ${least} to ${most}`;
    this.add(path, { what: 'is not a valid number', received: value, allowed });
  }

  /** Checks a share of calls in percent. */
  percent(path: string, value: unknown): void {
    if (typeof value === 'number' && value >= leastPercent && value <= 100) return;
    this.add(path, {
      what: 'is not a percentage of the calls',
      received: value,
      allowed: `from ${leastPercent} to 100`,
    });
  }

  /**
   * Checks shares that add up to 100.
   * @param parts - of a percent, that a share is a whole number of
   */
  shares(path: string, shares: Mapping, parts: 1 | 100 = 1): void {
    const values = Object.values(shares);
    const wrong = Object.entries(shares).filter(
      ([, share]) => typeof share !== 'number' || !isPart(share, parts) || share < 0 || share > 100,
    );
    for (const [name, received] of wrong) {
      this.add(`${path}.${name}`, {
        what: 'is not a percentage',
        received,
        allowed:
          parts === 1 ? 'a whole number from 0 to 100' : 'a number from 0 to 100, of two decimals at most',
      });
    }
    const total = (values as number[]).reduce((sum, share) => sum + Math.round(share * parts), 0) / parts;
    if (wrong.length === 0 && total !== 100) {
      this.add(path, { what: `the shares add up to ${total}`, received: shares, allowed: 'a sum of 100' });
    }
  }

  /** Says that a name is none of the known ones, and which one is nearest to it. */
  unknown(path: string, what: string, received: unknown, known: readonly string[]): void {
    const near = typeof received === 'string' ? nearest(received, known) : undefined;
    this.add(path, {
      what,
      received,
      allowed: known.length === 0 ? 'none' : known.join(', '),
      ...(near === undefined ? {} : { fix: `did you mean ${near}?` }),
    });
  }
}

/** Whether a number is a whole number of parts, as far as a computed one can be: 100 - 8.04 is 91.96000000000001. */
function isPart(value: number, parts: number): boolean {
  return parts === 1 ? Number.isInteger(value) : Math.abs(Math.round(value * parts) - value * parts) < 1e-6;
}
