import { mkdtempSync, readFileSync, readlinkSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { stageRoot } from './rootfs.ts';

let folder: string;
let umask: number;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rootfs-'));
  umask = process.umask(0o077);
});
afterEach(() => {
  process.umask(umask);
  rmSync(folder, { recursive: true });
});

test('lays files, folders and links out with the modes of the image, whatever the umask', async () => {
  const root = join(folder, 'root');
  const image = {
    files: [
      { to: '/app/lib/main.js', from: { content: 'run()' } },
      { to: '/usr/bin/tool', from: { path: import.meta.filename }, mode: 0o755 },
    ],
    folders: { '/tmp': 0o1777 },
    links: { '/usr/sbin/iptables': 'xtables-nft-multi' },
  };
  await stageRoot(root, image, []);
  const mode = (path: string) => (statSync(join(root, path)).mode & 0o7777).toString(8);
  expect(['', 'app', 'app/lib', 'app/lib/main.js', 'usr/bin/tool', 'tmp'].map(mode)).toEqual([
    '755',
    '755',
    '755',
    '644',
    '755',
    '1777',
  ]);
  expect(readFileSync(join(root, 'app/lib/main.js'), 'utf8')).toBe('run()');
  expect(readlinkSync(join(root, 'usr/sbin/iptables'))).toBe('xtables-nft-multi');
});
