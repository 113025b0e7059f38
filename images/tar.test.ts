import { mkdtempSync, readFileSync, readlinkSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { run } from '../core/run.ts';
import { tarChunks } from './tar.ts';
import type { TarEntry } from './tar.ts';

const long = `${'folder/'.repeat(20)}${'n'.repeat(90)}`;
const archive = (entries: readonly TarEntry[]) => Buffer.concat([...tarChunks(entries)]);
const file = (path: string): TarEntry => ({ path, type: 'file', mode: 0o644, content: Buffer.from(path) });

test('is unpacked by tar to what was put in, with modes, links, long paths and files from the disk', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tar-'));
  try {
    const large = Buffer.alloc(3_000_000, 'large');
    writeFileSync(join(folder, 'large'), large);
    const entries: readonly TarEntry[] = [
      { path: 'app', type: 'folder', mode: 0o1777 },
      { path: 'app/run', type: 'file', mode: 0o755, content: Buffer.from('run()\n') },
      { path: 'app/large', type: 'file', mode: 0o600, from: join(folder, 'large'), size: large.length },
      { path: 'app/exact', type: 'file', mode: 0o644, content: new Uint8Array(512) },
      { path: 'lib', type: 'link', target: 'usr/lib' },
      file(long),
    ];
    writeFileSync(join(folder, 'a.tar'), archive(entries));
    const list = await run('tar', ['--list', '--verbose', '--file', join(folder, 'a.tar')], {
      env: { TZ: 'UTC' },
    });
    expect(list.stdout.split('\n')[1]).toBe('-rwxr-xr-x 0/0               6 1970-01-01 00:00 app/run');
    await run('tar', ['--extract', '--preserve-permissions', '--file', join(folder, 'a.tar')], {
      cwd: folder,
    });
    expect(statSync(join(folder, 'app')).mode & 0o7777).toBe(0o1777);
    expect(readFileSync(join(folder, 'app/run'), 'utf8')).toBe('run()\n');
    expect(readFileSync(join(folder, 'app/large')).equals(large)).toBe(true);
    expect(readFileSync(join(folder, 'app/exact'))).toHaveLength(512);
    expect(readlinkSync(join(folder, 'lib'))).toBe('usr/lib');
    expect(readFileSync(join(folder, long), 'utf8')).toBe(long);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('refuses what the format has no room for, rather than cut it', () => {
  const name = 'n'.repeat(101);
  expect(() => archive([file(name)])).toThrow(
    new RangeError(`${name} is longer than the 100 bytes that a tar archive has for it`),
  );
  const deep = `${'folder/'.repeat(40)}x`;
  expect(() => archive([file(deep)])).toThrow(RangeError);
  expect(() => archive([{ path: 'a', type: 'link', target: name }])).toThrow(
    new RangeError(`${name} is longer than the 100 bytes that a tar archive has for it`),
  );
});
