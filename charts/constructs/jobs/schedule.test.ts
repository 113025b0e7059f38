import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseSchedule, timeZoneProblem, type Schedule } from './schedule.ts';

const form =
  'MINUTE HOUR DAY MONTH WEEKDAY, such as "30 2 * * mon-fri", or @yearly, @annually, @monthly, @weekly, @daily, @midnight, @hourly';

describe('a schedule', () => {
  const values = (set: ReadonlySet<number>) => [...set].sort((a, b) => a - b);
  const entriesOf = (schedule: Schedule) => Object.entries(schedule) as [string, ReadonlySet<number>][];
  const read = (text: string) => {
    const schedule = parseSchedule(text);
    if ('what' in schedule) throw new Error(schedule.what);
    return schedule;
  };

  test.each([
    ['0 0 * * *', { minutes: [0], hours: [0] }],
    ['*/20 9-17/4 1,15 * *', { minutes: [0, 20, 40], hours: [9, 13, 17], days: [1, 15] }],
    ['5/25 * ? JAN-mar,12 Sun,2-4', { minutes: [5, 30, 55], months: [1, 2, 3, 12], weekdays: [0, 2, 3, 4] }],
    ['  07\t3   * *  1 ', { minutes: [7], hours: [3], weekdays: [1] }],
    ['0 0 29 2 *', { days: [29], months: [2] }],
    // Either day is enough: it comes on Mondays.
    ['0 0 31 2 mon', { days: [31], months: [2], weekdays: [1] }],
    ['@hourly', { minutes: [0] }],
    ['@weekly', { minutes: [0], hours: [0], weekdays: [0] }],
    ['@yearly', { minutes: [0], hours: [0], days: [1], months: [1] }],
  ])('%j is read as Kubernetes reads it', (text, expected) => {
    const all = Object.fromEntries(entriesOf(read(text)).map(([key, set]) => [key, values(set)]));
    expect(all).toMatchObject(expected);
  });

  const minute = '*, 0 to 59, a range such as 0-59, each with a step such as */2, or a list of these';
  test.each<[unknown, object]>([
    [7, { what: 'is not a schedule', allowed: form }],
    ['', { what: 'has no fields instead of 5', allowed: form }],
    ['daily', { what: 'has 1 field instead of 5', allowed: form }],
    ['0 0 0 * * *', { what: 'has 6 fields instead of 5', allowed: form }],
    ['@dayly', { what: 'is not the name of a schedule', allowed: form, fix: 'did you mean @daily?' }],
    ['@toString', { what: 'is not the name of a schedule', allowed: form }],
    [
      '@every 5m',
      {
        what: 'is not the name of a schedule',
        allowed: form,
        fix: 'write the minutes or hours as a step: */15 * * * *',
      },
    ],
    [
      'TZ=Europe/Berlin 0 0 * * *',
      { what: 'names a time zone, which Kubernetes does not take there', fix: 'use timeZone' },
    ],
    ['60 0 * * *', { what: 'has no valid minute', received: '60', allowed: minute }],
    ['-1 0 * * *', { what: 'has no valid minute', received: '-1', allowed: minute }],
    ['*-5 0 * * *', { what: 'has no valid minute', received: '*-5', allowed: minute }],
    ['1, 0 * * *', { what: 'has no valid minute', received: '', allowed: minute }],
    [
      '0 0 * * 7',
      {
        what: 'has no valid day of the week',
        received: '7',
        allowed:
          '*, 0 to 6 or sun to sat, a range such as 0-6, each with a step such as */2, or a list of these',
      },
    ],
    [
      '0 22-2 * * *',
      {
        what: 'has a range of hours that ends before it begins',
        received: '22-2',
        fix: 'write two: 22-23,0-2',
      },
    ],
    [
      '*/90 * * * *',
      {
        what: 'has a step of minutes that is longer than its range, so that it takes only the first',
        received: '*/90',
        allowed: 'a step from 1 to 59',
      },
    ],
    [
      '*/0 * * * *',
      { what: 'has no valid step of minutes', received: '*/0', allowed: 'a step from 1 to 59' },
    ],
    [
      '0 0 31 2,4 *',
      { what: 'never comes: no month that it names has such a day', fix: 'correct the day or the month' },
    ],
  ])('%j is refused', (text, expected) => {
    expect(parseSchedule(text)).toEqual({ received: text, ...expected });
  });

  /** An entry of a list, and the values that it means. */
  const entry = (least: number, most: number) =>
    fc
      .tuple(
        fc.integer({ min: least, max: most }),
        fc.integer({ min: least, max: most }),
        fc.nat(most),
        fc.boolean(),
      )
      .map(([a, b, by, hasStep]) => {
        const [from, to] = [Math.min(a, b), Math.max(a, b)];
        const step = hasStep && to > from ? 1 + (by % (to - from)) : undefined;
        const all = Array.from({ length: to - from + 1 }, (_, index) => from + index);
        return {
          text: `${from}-${to}${step === undefined ? '' : `/${step}`}`,
          values: all.filter((value) => (value - from) % (step ?? 1) === 0),
        };
      });
  const field = (least: number, most: number) => fc.array(entry(least, most), { minLength: 1, maxLength: 4 });

  test('of ranges with steps in lists means the values of all of them', () => {
    fc.assert(
      fc.property(field(0, 59), field(0, 23), field(1, 28), field(1, 12), field(0, 6), (...parts) => {
        const text = parts.map((entries) => entries.map((one) => one.text).join(',')).join(' ');
        const found = entriesOf(read(text)).map(([, set]) => values(set));
        expect(found).toEqual(parts.map((entries) => values(new Set(entries.flatMap((one) => one.values)))));
      }),
    );
  });

  test('of whatever else is refused, or has values within their fields', () => {
    const bounds = { minutes: [0, 59], hours: [0, 23], days: [1, 31], months: [1, 12], weekdays: [0, 6] };
    const word = fc.stringMatching(/^[-*?\/,0-9a-z@ ]{0,12}$/);
    fc.assert(
      fc.property(
        fc.oneof(
          fc.anything(),
          fc.string(),
          word,
          fc.array(word, { minLength: 5, maxLength: 5 }).map((all) => all.join(' ')),
        ),
        (text) => {
          const schedule = parseSchedule(text);
          if ('what' in schedule) return;
          for (const [key, [least = 0, most = 0]] of Object.entries(bounds)) {
            const found = values(schedule[key as keyof typeof bounds]);
            expect(found.length).toBeGreaterThan(0);
            expect(found.every((value) => value >= least && value <= most)).toBe(true);
          }
        },
      ),
    );
  });
});

describe('a time zone', () => {
  const allowed = 'a name of the IANA time zone database, such as Europe/Berlin or Etc/UTC';

  test.each([
    'Etc/UTC',
    'UTC',
    'Europe/Berlin',
    'America/Argentina/Buenos_Aires',
    'Etc/GMT+3',
    'Asia/Calcutta',
  ])('%s is one', (name) => {
    expect(timeZoneProblem(name)).toBeUndefined();
  });

  test.each<[unknown, string | undefined]>([
    ['europe/berlin', 'Europe/Berlin'],
    ['Europe/Berln', 'Europe/Berlin'],
    ['+02:00', undefined],
    ['Local', undefined],
    ['../etc/passwd', undefined],
    [7, undefined],
  ])('%j is none', (received, near) => {
    const fix = near === undefined ? {} : { fix: `did you mean ${near}?` };
    expect(timeZoneProblem(received)).toEqual({ what: 'is not a time zone', received, allowed, ...fix });
  });
});
