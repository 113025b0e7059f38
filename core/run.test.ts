import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { run } from './run.ts';

describe('run', () => {
  test('hands over input and environment, and gives both outputs and the lines as they come', async () => {
    const lines: string[] = [];
    const result = await run('sh', ['-c', 'cat; echo "$GREETING" >&2'], {
      input: 'first\nsecond\n',
      env: { GREETING: 'hello' },
      onLine: (line) => lines.push(line),
    });
    expect(result).toEqual({ code: 0, stdout: 'first\nsecond\n', stderr: 'hello\n' });
    expect(lines.sort()).toEqual(['first', 'hello', 'second']);
  });

  test('says how a program failed, its last words and its log', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'run-'));
    const logFile = join(folder, 'x.log');
    await expect(run('sh', ['-c', 'echo no room >&2; exit 3'], { logFile })).rejects.toThrow(
      `sh -c echo no room >&2; exit 3: ended with exit code 3: no room; fix: look at ${logFile}`,
    );
    expect(readFileSync(logFile, 'utf8')).toBe('no room\n');
    rmSync(folder, { recursive: true });
  });

  test('takes an expected exit code as an answer', async () => {
    await expect(run('sh', ['-c', 'exit 1'], { okCodes: [0, 1] })).resolves.toMatchObject({ code: 1 });
  });

  test('ends a program that takes too long', async () => {
    await expect(run('sleep', ['60'], { timeoutMs: 20 })).rejects.toThrow('sleep 60: took longer than 0 s');
  });

  test('ends an interrupted program, and only then is over', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'run-'));
    const logFile = join(folder, 'x.log');
    const abort = new AbortController();
    const script = 'trap "echo tidied up; exit 1" TERM; echo started; while :; do sleep 0.01; done';
    const running = run('sh', ['-c', script], {
      logFile,
      signal: abort.signal,
      onLine: () => {
        abort.abort(new Error('stopped by SIGINT'));
      },
    });
    await expect(running).rejects.toThrow('stopped by SIGINT');
    expect(readFileSync(logFile, 'utf8')).toBe('started\ntidied up\n');
    rmSync(folder, { recursive: true });
  });

  test('says so when a program does not exist', async () => {
    await expect(run('/no/such/program', [])).rejects.toThrow(
      '/no/such/program: spawn /no/such/program ENOENT',
    );
  });
});
