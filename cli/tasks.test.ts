import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { ProblemsError } from '../core/problem.ts';
import { runTasks } from './tasks.ts';

describe('runTasks', () => {
  test('runs steps in turn, and those of an inner list at the same time', async () => {
    const seen: string[] = [];
    const task = (title: string, ms: number) => ({
      title,
      run: async () => {
        await sleep(ms);
        seen.push(title);
      },
    });
    await runTasks([task('first', 5), [task('slow', 60), task('quick', 1)], task('last', 1)]);
    expect(seen).toEqual(['first', 'quick', 'slow', 'last']);
  });

  test('lets the others of an inner list end before it fails, with every problem', async () => {
    let ended = false;
    const failing = (where: string) => ({
      title: where,
      run: () => Promise.reject(new ProblemsError([{ where, what: 'failed' }], 1)),
    });
    const slow = {
      title: 'slow',
      run: async () => {
        await sleep(60);
        ended = true;
      },
    };
    const never = { title: 'never', run: () => Promise.reject(new Error('must not run')) };
    await expect(runTasks([[failing('a'), slow, failing('b')], never])).rejects.toMatchObject({
      message: 'a: failed\nb: failed',
      exitCode: 1,
    });
    expect(ended).toBe(true);
  });
});
