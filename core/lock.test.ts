import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { takeLock } from './lock.ts';

describe('takeLock', () => {
  let folder: string;
  let path: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'lock-'));
    path = join(folder, 'state', 'lock');
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  test('lets one in, and the next after the release', () => {
    const lock = takeLock(path, 'npm run up');
    const { since } = JSON.parse(readFileSync(path, 'utf8')) as { since: string };
    expect(() => takeLock(path, 'npm run down')).toThrow(
      `${path}: \`npm run up\` is running here (pid ${process.pid}, since ${since}); ` +
        'allowed one command at a time; fix: wait until it ends, or stop it with Ctrl-C',
    );
    lock.release();
    takeLock(path, 'npm run down').release();
  });

  test.each([
    [
      'of a process that ended',
      JSON.stringify({ pid: 2 ** 22 + 1, startTime: '1', command: 'x', since: 'then' }),
    ],
    ['of a reused pid', JSON.stringify({ pid: process.pid, startTime: '1', command: 'x', since: 'then' })],
    ['cut short', '{"pid":'],
  ])('takes over a lock %s', (_, content) => {
    takeLock(path, 'first').release();
    writeFileSync(path, content);
    takeLock(path, 'npm run up').release();
  });

  test('does not release what another has taken since', () => {
    const first = takeLock(path, 'first');
    rmSync(path);
    const second = takeLock(path, 'second');
    first.release();
    expect(() => takeLock(path, 'third')).toThrow('`second` is running here');
    second.release();
  });

  test('has one holder however many take it at once, fresh or stale', async () => {
    const program = `
      import { takeLock } from ${JSON.stringify(new URL('lock.ts', import.meta.url).href)};
      try {
        takeLock(process.argv[1], 'one of many');
        process.stdout.write('holds it');
      } catch {
        process.stdout.write('is told');
      }
      process.stdin.resume(); // until all have tried
    `;
    for (const stale of [false, true]) {
      rmSync(join(folder, 'state'), { recursive: true, force: true });
      mkdirSync(join(folder, 'state'));
      if (stale)
        writeFileSync(
          path,
          JSON.stringify({ pid: 2 ** 22 + 1, startTime: '1', command: 'x', since: 'then' }),
        );
      const args = ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', program, path];
      const tries = Array.from({ length: 4 }, () =>
        spawn(process.execPath, args, {
          stdio: ['pipe', 'pipe', 'inherit'],
          env: { ...process.env, NODE_OPTIONS: '' },
        }),
      );
      const ended = tries.map((child) => once(child, 'close'));
      const said = await Promise.all(tries.map(({ stdout }) => once(stdout, 'data')));
      for (const { stdin } of tries) stdin.end();
      await Promise.all(ended);
      expect(said.map(String).sort()).toEqual(['holds it', 'is told', 'is told', 'is told']);
    }
  });
});
