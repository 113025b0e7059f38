import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { fuzzLimitMs, fuzzRuns } from '../../../testing/fuzz.ts';
import { NoRoomError } from '../../codec/bytes.ts';
import { HttpError } from '../http-status.ts';
import type { Account, Purpose } from './account.ts';
import { Budget } from './budget.ts';
import { memoryBudget } from './memory.ts';

const limits = { bytes: 200_000, calls: 6, streams: 4 };

type Step = readonly [at: number, what: string, amount: number];
const step: fc.Arbitrary<Step> = fc.tuple(
  fc.nat(7),
  fc
    .constantFrom('open', 'hold input', 'hold sent', 'hold answer', 'hold queue')
    .chain((what) =>
      fc.constantFrom(what, 'stream', 'reading', 'came', 'read', 'standing', 'moved', 'close', 'make'),
    ),
  fc.nat(120_000),
);

/** Does something to one of a few accounts; what is refused leaves everything as it was. */
function take(budget: Budget, accounts: Map<number, Account>, [at, what, amount]: Step): void {
  const account = accounts.get(at);
  try {
    if (account === undefined || what === 'open') {
      if (account === undefined) accounts.set(at, budget.open(`client ${at % 3}`));
    } else if (what.startsWith('hold')) account.hold(what.slice(5) as Purpose, amount);
    else if (what === 'stream') account.stream();
    else if (what === 'reading') {
      account.read();
      account.reading(() => accounts.delete(at));
    } else if (what === 'standing') account.standing(() => accounts.delete(at));
    else if (what === 'moved') account.moved();
    else if (what === 'came') account.came(amount);
    else if (what === 'read') account.read();
    else if (what === 'make') {
      account.make((room) => {
        if (amount > room) throw new NoRoomError();
      });
    } else {
      account.close();
      accounts.delete(at);
    }
  } catch (error) {
    expect(error).toBeInstanceOf(HttpError);
    expect([429, 500, 503]).toContain((error as HttpError).httpStatus);
  }
}

test(
  'A3, A4: whatever happens, no more than the limit is held, no less than nothing, and nothing is left at the end',
  () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const budget = new Budget(limits);
        const accounts = new Map<number, Account>();
        for (const each of steps) {
          take(budget, accounts, each);
          for (const kind of ['bytes', 'calls', 'streams'] as const) {
            expect(budget.held[kind]).toBeGreaterThanOrEqual(0);
            expect(budget.held[kind]).toBeLessThanOrEqual(limits[kind]);
          }
          const sum = [...accounts.values()].reduce((all, { bytes }) => all + bytes, 0);
          expect(budget.held.bytes).toBe(sum);
        }
        for (const account of accounts.values()) {
          account.close();
          account.close();
          account.hold('queue', 1_000);
        }
        expect(budget.held).toEqual({ bytes: 0, calls: 0, streams: 0 });
      }),
      { numRuns: fuzzRuns(300) },
    );
  },
  fuzzLimitMs,
);

const refusal = (take: () => unknown) => {
  try {
    take();
  } catch (error) {
    if (error instanceof HttpError) return [error.httpStatus, error.message, error.headers];
    throw error;
  }
  return undefined;
};

describe('A4: who gives way', () => {
  /** A budget with a body that has stood still for long, of another client. */
  const withStanding = () => {
    const budget = new Budget({ bytes: 200_000, calls: 6, streams: 2 });
    const ended: string[] = [];
    const body = budget.open('a phone');
    body.hold('input', 1_000);
    body.reading(() => ended.push('body'));
    body.since -= 10_000;
    return { budget, ended };
  };

  test('no body of others to a client that is beyond its own share', () => {
    const { budget, ended } = withStanding();
    const own = Array.from({ length: 3 }, () => budget.open('greedy'));
    expect(() => budget.open('greedy')).toThrow('too many requests of this client are in flight');
    expect(() => {
      own[0]!.hold('answer', 150_000);
    }).toThrow('too many bytes of this client are in flight');
    expect(() => {
      own[0]!.make((room) => {
        if (room < 150_000) throw new NoRoomError();
      });
    }).toThrow('the answer takes more than the 100000 bytes that a client may hold here');
    expect(ended).toEqual([]);
  });

  test('no body to a stream, which it has no place of', () => {
    const { budget, ended } = withStanding();
    for (const client of ['one', 'two']) budget.open(client).stream();
    expect(() => {
      budget.open('three').stream();
    }).toThrow('too many streams are in flight');
    expect(ended).toEqual([]);
  });

  test('a stream that is not read, to a body, but not when it is read again', () => {
    const budget = new Budget({ bytes: 200_000, calls: 6, streams: 4 });
    const ended: string[] = [];
    const streams = ['one', 'two'].map((client) => {
      const account = budget.open(client);
      account.stream();
      account.hold('queue', 70_000);
      account.standing(() => ended.push(client));
      account.since -= 10_000;
      return account;
    });
    streams[1]!.moved();
    budget.open('three').hold('input', 20_000);
    expect(ended).toEqual(['one']);
  });
});

describe('A4: a client beyond its share', () => {
  test('is told so with 429, and others have the rest', () => {
    const budget = new Budget(limits);
    for (let count = 0; count < 3; count++) budget.open('a');
    const share = 'too many requests of this client are in flight; call again later';
    expect(refusal(() => budget.open('a'))).toEqual([429, share, { 'retry-after': '1' }]);
    for (let count = 0; count < 3; count++) budget.open('b');
    const all = 'too many requests are in flight; call again later';
    expect(refusal(() => budget.open('c'))).toEqual([503, all, { 'retry-after': '1' }]);
  });

  test('has no more bytes, streams and JSON either', () => {
    const budget = new Budget(limits);
    const account = budget.open('a');
    account.stream();
    const other = budget.open('a');
    other.stream();
    expect(
      refusal(() => {
        budget.open('a').stream();
      })?.[0],
    ).toBe(429);
    expect(
      refusal(() => {
        other.hold('input', 90_000);
      })?.[0],
    ).toBe(429);
    const long = () => {
      throw new NoRoomError();
    };
    expect(refusal(() => account.make(long))?.[0]).toBe(429);
    const alone = new Budget(limits).open('a');
    expect(refusal(() => alone.make(long))).toEqual([
      500,
      'the answer takes more than the 100000 bytes that a client may hold here',
      {},
    ]);
  });
});

test('the budget is an eighth of the memory there is', () => {
  expect(memoryBudget(256 * 2 ** 20)).toBe(32 * 2 ** 20);
});
