import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { isMountPoint, mountsOn, removeNetnsFolder } from './netns-folder.ts';

test('counts the mounts on a path itself', () => {
  const mountinfo = `24 1 254:0 / / rw,relatime - ext4 /dev/vda rw
60 24 0:21 / /run rw shared:5 - tmpfs tmpfs rw
71 60 0:21 /netns /run/netns rw shared:5 - tmpfs tmpfs rw
72 71 0:21 /netns /run/netns rw shared:6 - tmpfs tmpfs rw
73 72 0:4 net:[4026532] /run/netns/blue rw shared:6 - nsfs nsfs rw
`;
  expect(mountsOn('/run/netns', mountinfo)).toBe(2);
  expect(mountsOn('/run/netns/blue', mountinfo)).toBe(1);
  expect(mountsOn('/run/net', mountinfo)).toBe(0);
});

test('knows a mount point of this machine, and what is none', () => {
  expect(isMountPoint('/proc')).toBe(true);
  expect(isMountPoint('/proc/self')).toBe(false);
});

test('removes an empty folder, and leaves one with namespaces', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'netns-'));
  const [empty, used] = [join(folder, 'empty'), join(folder, 'used')];
  mkdirSync(empty);
  mkdirSync(join(used, 'blue'), { recursive: true });
  await removeNetnsFolder(empty);
  await removeNetnsFolder(used);
  await removeNetnsFolder(join(folder, 'never-made'));
  expect(existsSync(empty)).toBe(false);
  expect(existsSync(join(used, 'blue'))).toBe(true);
  rmSync(folder, { recursive: true });
});
