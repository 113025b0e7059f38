import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { ProblemsError } from '../../core/problem.ts';
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

  test('leaves Ctrl-C to the command: a step that is stopped still undoes what it has to', async () => {
    const program = `
      import { once } from 'node:events';
      import { runTasks } from './tasks.ts';
      const interrupted = once(process, 'SIGINT');
      const idle = setInterval(() => undefined, 1000);
      const run = async () => {
        process.stdout.write('started\\n');
        await interrupted;
        await new Promise((resolve) => setTimeout(resolve, 50));
        process.stdout.write('undone\\n');
        throw new Error('stopped');
      };
      await runTasks([{ title: 'step', run }]).catch(() => (process.exitCode = 130));
      clearInterval(idle);
    `;
    const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
      cwd: fileURLToPath(new URL('.', import.meta.url)),
      env: { ...process.env, NODE_OPTIONS: '', NODE_ENV: '' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let printed = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      printed += chunk;
      if (chunk.includes('started')) child.kill('SIGINT');
    });
    const code = await new Promise((resolve) => child.on('close', resolve));
    expect({ code, undone: printed.includes('undone') }).toEqual({ code: 130, undone: true });
  });
});
