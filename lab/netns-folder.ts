import { existsSync, readFileSync, readdirSync, rmdirSync } from 'node:fs';
import { run } from '../core/run.ts';

/** Where `ip netns` keeps named network namespaces. Its first use mounts the folder on itself, to share the mounts in it. */
export const netnsFolder = '/run/netns';

/** How many mounts lie on a path, by the text of /proc/self/mountinfo (proc_pid_mountinfo(5)). */
export function mountsOn(path: string, mountinfo: string): number {
  return mountinfo.split('\n').filter((line) => line.split(' ')[4] === path).length;
}

/** Whether something is mounted on the folder now. */
export function isMountPoint(path: string): boolean {
  return mountsOn(path, readFileSync('/proc/self/mountinfo', 'utf8')) > 0;
}

/** Removes the mount that `ip netns` put on the folder, for a machine that had none there before the lab. */
export async function removeNetnsFolder(path = netnsFolder): Promise<void> {
  if (!existsSync(path) || readdirSync(path).length > 0) return;
  // `ip netns` may leave two mounts. One that umount refuses is beneath another mount, or in use.
  for (let code = 0; code === 0 && isMountPoint(path);) {
    ({ code } = await run('umount', [path], { timeoutMs: 20_000, okCodes: [0, 32] }));
  }
  try {
    rmdirSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EBUSY') throw error;
  }
}
