import { existsSync, mkdtempSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A memory cgroup of its own, as a container has one. */
export interface MemoryGroup {
  /** A shell's command that puts the shell, and what it becomes, into the group. */
  readonly enter: string;
  /** The most that its processes have taken so far. Bytes. */
  peak(): number;
  /** Removes it; its processes have to be over. */
  remove(): void;
}

const root = '/sys/fs/cgroup';

/**
 * Makes a memory cgroup, by version 1 or 2 of the kernel's interface. Only root may.
 * Source: kernel.org/doc/Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/memory.rst
 * @param limit - bytes; who takes more is killed
 */
export function makeMemoryGroup(limit: number): MemoryGroup {
  const first = join(root, 'memory');
  const old = existsSync(join(first, 'memory.limit_in_bytes'));
  const folder = mkdtempSync(join(old ? first : root, 'gateway-memory-'));
  const names = old
    ? { limit: 'memory.limit_in_bytes', peak: 'memory.max_usage_in_bytes' }
    : { limit: 'memory.max', peak: 'memory.peak' };
  writeFileSync(join(folder, names.limit), String(limit));
  if (!old) writeFileSync(join(folder, 'memory.swap.max'), '0');
  return {
    enter: `echo $$ > ${folder}/cgroup.procs`,
    peak: () => Number(readFileSync(join(folder, names.peak), 'utf8')),
    remove: () => {
      rmdirSync(folder);
    },
  };
}
