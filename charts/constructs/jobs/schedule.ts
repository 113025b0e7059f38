import { nearest } from '../../../core/names.ts';
import type { Problem } from '../../../core/problem.ts';

/** When a CronJob begins runs: the values of each field that match. */
export interface Schedule {
  readonly minutes: ReadonlySet<number>;
  readonly hours: ReadonlySet<number>;
  readonly days: ReadonlySet<number>;
  readonly months: ReadonlySet<number>;
  /** From Sunday, 0, to Saturday, 6. */
  readonly weekdays: ReadonlySet<number>;
}

/** What is wrong with a schedule, without where it stands. */
type Wrong = Omit<Problem, 'where'>;

interface Field {
  readonly name: string;
  readonly least: number;
  readonly most: number;
  /** Of values, from the least on. */
  readonly words?: readonly string[];
}

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const fields = {
  minutes: { name: 'minute', least: 0, most: 59 },
  hours: { name: 'hour', least: 0, most: 23 },
  days: { name: 'day of the month', least: 1, most: 31 },
  months: { name: 'month', least: 1, most: 12, words: months },
  weekdays: {
    ...{ name: 'day of the week', least: 0, most: 6 },
    words: ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'],
  },
} as const satisfies Readonly<Record<keyof Schedule, Field>>;

/** Most days that each month has. */
const longest = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** Schedules that have a name. */
const named: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
};

const form = `MINUTE HOUR DAY MONTH WEEKDAY, such as "30 2 * * mon-fri", or ${Object.keys(named).join(', ')}`;

/**
 * Reads a schedule as Kubernetes does (https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/#schedule-syntax): five fields of
 * numbers, names, ranges, steps and lists, or a name for all of them. Beyond what Kubernetes refuses, so is what it takes and nobody means: a step
 * that is longer than its range, a day that no month has, and `@every`, whose runs depend on when a controller was started.
 */
export function parseSchedule(value: unknown): Schedule | Wrong {
  if (typeof value !== 'string') return { what: 'is not a schedule', received: value, allowed: form };
  const text = value.trim();
  if (/^(?:CRON_)?TZ=/.test(text)) {
    const what = 'names a time zone, which Kubernetes does not take there';
    return { what, received: value, fix: 'use timeZone' };
  }
  if (text.startsWith('@')) {
    const expanded = Object.hasOwn(named, text) ? named[text] : undefined;
    if (expanded !== undefined) return parseSchedule(expanded);
    const near = nearest(text, Object.keys(named));
    const fix = text.startsWith('@every ')
      ? 'write the minutes or hours as a step: */15 * * * *'
      : near === undefined
        ? undefined
        : `did you mean ${near}?`;
    return {
      what: 'is not the name of a schedule',
      received: value,
      allowed: form,
      ...(fix === undefined ? {} : { fix }),
    };
  }
  const parts = text.split(/\s+/);
  if (parts.length !== 5 || text === '') {
    const what = `has ${text === '' ? 'no fields' : `${parts.length} ${parts.length === 1 ? 'field' : 'fields'}`} instead of 5`;
    return { what, received: value, allowed: form };
  }
  const read: Record<string, ReadonlySet<number>> = {};
  for (const [index, [key, field]] of Object.entries(fields).entries()) {
    const found = readField(field, parts[index] ?? '');
    if ('what' in found) return found;
    read[key] = found;
  }
  const schedule = read as unknown as Schedule;
  return neverComes(schedule, parts) ? { ...never, received: value } : schedule;
}

const never = {
  what: 'never comes: no month that it names has such a day',
  fix: 'correct the day or the month',
};

/** Where both days are restricted, either is enough; a weekday always comes. */
function neverComes({ days, months: named }: Schedule, [, , , , weekday]: readonly string[]): boolean {
  if (!isAny(weekday ?? '')) return false;
  return ![...named].some((month) => [...days].some((day) => day <= (longest[month - 1] ?? 0)));
}

/** Whether a field, or an entry of its list, is a star without a step. */
function isAny(text: string): boolean {
  return text.split(',').some((entry) => /^[*?](?:\/0*1)?$/.test(entry));
}

function readField(field: Field, text: string): ReadonlySet<number> | Wrong {
  const values = new Set<number>();
  for (const entry of text.split(',')) {
    const found = readEntry(field, entry);
    if ('what' in found) return found;
    for (const value of found) values.add(value);
  }
  return values;
}

/** `*`, `5`, `mon-fri`, and each of them with a step: `5/10` begins at 5. */
function readEntry(field: Field, entry: string): readonly number[] | Wrong {
  const { name, least, most } = field;
  const [, from = '', to, by] = /^([*?]|\w+)(?:-(\w+))?(?:\/(\w+))?$/.exec(entry) ?? [];
  const isStar = from === '*' || from === '?';
  const first = isStar ? least : valueOf(field, from);
  const last = isStar || (to === undefined && by !== undefined) ? most : valueOf(field, to ?? from);
  if (first === undefined || last === undefined || (isStar && to !== undefined)) {
    const what = `has no valid ${name}`;
    return { what, received: entry, allowed: allowedIn(field) };
  }
  if (first > last) {
    const what = `has a range of ${name}s that ends before it begins`;
    return { what, received: entry, fix: `write two: ${from}-${most},${least}-${to ?? ''}` };
  }
  if (by === undefined) return valuesOf(first, last, 1);
  const step = /^\d+$/.test(by) ? Number(by) : 0;
  const most1 = Math.max(1, last - first);
  if (step < 1 || step > most1) {
    const what =
      step < 1
        ? `has no valid step of ${name}s`
        : `has a step of ${name}s that is longer than its range, so that it takes only the first`;
    return { what, received: entry, allowed: `a step from 1 to ${most1}` };
  }
  return valuesOf(first, last, step);
}

function valuesOf(first: number, last: number, step: number): readonly number[] {
  return Array.from({ length: Math.floor((last - first) / step) + 1 }, (_, index) => first + index * step);
}

function valueOf({ least, most, words = [] }: Field, text: string): number | undefined {
  const word = words.indexOf(text.toLowerCase());
  if (word >= 0) return least + word;
  const value = /^\d{1,4}$/.test(text) ? Number(text) : -1;
  return value >= least && value <= most ? value : undefined;
}

function allowedIn({ least, most, words }: Field): string {
  const spelled = words === undefined ? '' : ` or ${words[0] ?? ''} to ${words.at(-1) ?? ''}`;
  return `*, ${least} to ${most}${spelled}, a range such as ${least}-${most}, each with a step such as */2, or a list of these`;
}

/**
 * What is wrong with the name of a time zone of the IANA database, by which a schedule goes
 * (https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/#time-zones).
 */
export function timeZoneProblem(value: unknown): Wrong | undefined {
  const allowed = 'a name of the IANA time zone database, such as Europe/Berlin or Etc/UTC';
  const known =
    typeof value === 'string' && /^[A-Z][\w+-]*(?:\/[A-Z][\w+-]*)*$/.test(value) && isKnown(value);
  if (known) return undefined;
  const near = typeof value === 'string' ? nearest(value, Intl.supportedValuesOf('timeZone')) : undefined;
  const fix = near === undefined ? {} : { fix: `did you mean ${near}?` };
  return { what: 'is not a time zone', received: value, allowed, ...fix };
}

function isKnown(timeZone: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone });
    return true;
  } catch {
    return false;
  }
}
