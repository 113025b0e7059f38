import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { takeLock } from './lock.ts';
import { run } from './run.ts';

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
      import { appendFileSync } from 'node:fs';
      import { setTimeout as sleep } from 'node:timers/promises';
      import { takeLock } from ${JSON.stringify(new URL('lock.ts', import.meta.url).href)};
      try {
        takeLock(process.argv[1], 'one of many');
        appendFileSync(process.argv[1] + '.holders', process.pid + '\\n');
        await sleep(1500); // holds it while the others try
      } catch {}
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
      await Promise.all(
        Array.from({ length: 4 }, () => run(process.execPath, args, { env: { NODE_OPTIONS: '' } })),
      );
      expect(readFileSync(`${path}.holders`, 'utf8').trim().split('\n')).toHaveLength(1);
    }
  });
});
