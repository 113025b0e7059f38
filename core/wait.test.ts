import { describe, expect, test } from '@jest/globals';
import { ProblemsError } from './problem.ts';
import { waitFor } from './wait.ts';

describe('waitFor', () => {
  test('returns the value of the first look that is done', async () => {
    let looks = 0;
    const value = await waitFor({ what: 'three looks', timeoutMs: 10_000, intervalMs: 1 }, () =>
      ++looks === 3 ? { done: true, value: looks } : { done: false, because: `look ${looks}` },
    );
    expect(value).toBe(3);
  });

  test('says what it waited for, what it last saw and where to look', async () => {
    const waiting = waitFor(
      { what: 'api server of east', timeoutMs: 0, whereToLook: () => 'logs/apiserver.log' },
      () => ({ done: false, because: 'connection refused' }),
    );
    await expect(waiting).rejects.toThrow(
      new ProblemsError([
        {
          where: 'api server of east',
          what: 'not reached within 0 s: connection refused',
          fix: 'look at logs/apiserver.log, then run the command again',
        },
      ]),
    );
  });

  test('ends at once when it is aborted', async () => {
    const abort = new AbortController();
    const waiting = waitFor(
      { what: 'nothing', timeoutMs: 60_000, intervalMs: 60_000, signal: abort.signal },
      () => {
        setImmediate(() => {
          abort.abort();
        });
        return { done: false, because: 'never' };
      },
    );
    await expect(waiting).rejects.toThrow('The operation was aborted');
  });
});
