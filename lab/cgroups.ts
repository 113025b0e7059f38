import { existsSync, mkdirSync, readdirSync, rmdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { waitFor } from '../core/wait.ts';

const mountPoint = '/sys/fs/cgroup';

/** The folders in which a control group has to be made: one for cgroup v2, one a controller for v1. */
function hierarchies(): readonly string[] {
  if (existsSync(join(mountPoint, 'cgroup.controllers'))) return [mountPoint];
  return readdirSync(mountPoint)
    .map((name) => join(mountPoint, name))
    .filter((path) => statSync(path).isDirectory() && existsSync(join(path, 'cgroup.procs')));
}

/** The kubelet's `cgroupRoot` of a node. */
export function cgroupRoot(node: string): string {
  return `/meshwright-${node}`;
}

/** Makes the node's cgroup in every hierarchy: the kubelet does not make its own root. */
export function ensureCgroups(node: string): void {
  for (const hierarchy of hierarchies()) mkdirSync(join(hierarchy, cgroupRoot(node)), { recursive: true });
}

/** The cgroup folders that exist for these nodes. */
export function cgroupsOf(nodes: readonly string[]): readonly string[] {
  return hierarchies()
    .flatMap((hierarchy) => nodes.map((node) => join(hierarchy, cgroupRoot(node))))
    .filter((path) => existsSync(path));
}

/** Removes the node's cgroups; the kernel lets go of them a moment after their last process ended. */
export async function removeCgroups(node: string): Promise<void> {
  await waitFor(
    { what: `the cgroups of node ${node} to be empty`, timeoutMs: 20_000, intervalMs: 50 },
    () => {
      const left = cgroupsOf([node]).filter((path) => !removeTree(path));
      return left.length === 0
        ? { done: true, value: undefined }
        : { done: false, because: `${left[0] ?? ''} is busy` };
    },
  );
}

/** Control groups are removed folder by folder, the deepest first; their files are the kernel's. */
function removeTree(path: string): boolean {
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    if (entry.isDirectory() && !removeTree(join(path, entry.name))) return false;
  }
  try {
    rmdirSync(path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EBUSY') return false;
    throw error;
  }
}
