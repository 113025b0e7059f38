import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { identify } from '../core/process-identity.ts';
import { cached, defaultCacheDir, isCached, withScratch } from './cache.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cache-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

describe('defaultCacheDir', () => {
  test.each([
    [{ XDG_CACHE_HOME: '/var/cache/me' }, '/var/cache/me/meshwright'],
    [{ XDG_CACHE_HOME: 'relative' }, join(homedir(), '.cache/meshwright')],
    [{ XDG_CACHE_HOME: '' }, join(homedir(), '.cache/meshwright')],
    [{}, join(homedir(), '.cache/meshwright')],
  ])('of %j is %s', (env, expected) => {
    expect(defaultCacheDir(env)).toBe(expected);
  });
});

describe('cached', () => {
  const entry = () => ({ folder, name: 'set-0123', holds: ['bin/program'] });
  const fill = (content: string) => async (scratch: string) => {
    mkdirSync(join(scratch, 'bin'));
    await Promise.resolve();
    writeFileSync(join(scratch, 'bin/program'), content);
  };

  test('makes an entry once, and leaves nothing beside it', async () => {
    expect(isCached(entry())).toBe(false);
    const path = await cached(entry(), fill('first'));
    expect(await cached(entry(), fill('second'))).toBe(path);
    expect(readFileSync(join(path, 'bin/program'), 'utf8')).toBe('first');
    expect(readdirSync(folder)).toEqual(['set-0123']);
  });

  test('leaves nothing when it fails half-way', async () => {
    const failing = async (scratch: string) => {
      await fill('half')(scratch);
      throw new Error('no space left');
    };
    await expect(cached(entry(), failing)).rejects.toThrow('no space left');
    expect(readdirSync(folder)).toEqual([]);
  });

  test('does not keep an entry without the files it must have', async () => {
    await expect(cached(entry(), () => Promise.resolve())).rejects.toThrow(
      `${folder}/set-0123: bin/program was not made`,
    );
    expect(readdirSync(folder)).toEqual([]);
  });

  test('makes a damaged entry again', async () => {
    const path = await cached(entry(), fill('first'));
    rmSync(join(path, 'bin/program'));
    writeFileSync(join(path, 'stray'), '');
    await cached(entry(), fill('again'));
    expect(readFileSync(join(path, 'bin/program'), 'utf8')).toBe('again');
    expect(readdirSync(path)).toEqual(['bin']);
    expect(readdirSync(folder)).toEqual(['set-0123']);
  });

  test('lets two makers at once agree on one entry', async () => {
    const paths = await Promise.all(['a', 'b', 'c'].map((content) => cached(entry(), fill(content))));
    expect(new Set(paths).size).toBe(1);
    expect(readdirSync(folder)).toEqual(['set-0123']);
  });
});

describe('withScratch', () => {
  test('removes what dead processes left, not what live ones use', async () => {
    const self = identify(process.pid);
    const live = `.tools.${process.pid}-${self?.startTime ?? ''}-00000000.tmp`;
    const reusedPid = `.tools.${process.pid}-1-00000000.tmp`;
    for (const name of [live, reusedPid, 'other.tmp']) mkdirSync(join(folder, name));
    await withScratch(folder, 'it', (scratch) => {
      expect(existsSync(scratch)).toBe(true);
      expect(readdirSync(folder)).toHaveLength(3);
      return Promise.resolve();
    });
    expect(readdirSync(folder).sort()).toEqual([live, 'other.tmp'].sort());
  });
});
