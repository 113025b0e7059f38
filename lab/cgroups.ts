import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  realpathSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { ProblemsError, type Problem } from '../core/problem.ts';
import { waitFor } from '../core/wait.ts';

/** Where the kernel's control groups are mounted. */
export const cgroupMount = '/sys/fs/cgroup';

/** The kubelet's `cgroupRoot` of a node. */
export function cgroupRoot(node: string): string {
  return `/meshwright-${node}`;
}

/**
 * Creates the nodes' cgroups in every hierarchy, because the kubelet does not create its own root. With cgroup v2 it first
 * enables the controllers that the kubelet requires.
 * @throws ProblemsError (exit code 2) when the kernel does not allow it.
 */
export function ensureCgroups(mount: string, nodes: readonly string[]): void {
  try {
    if (isUnified(mount)) enableControllers(mount);
    for (const hierarchy of hierarchies(mount)) {
      const missing = nodes
        .map((node) => join(hierarchy, cgroupRoot(node)))
        .filter((path) => !existsSync(path));
      for (const path of missing) mkdirSync(path);
    }
  } catch (error) {
    const problem = refusalProblem(mount, (error as NodeJS.ErrnoException).code);
    throw problem === undefined ? error : new ProblemsError([problem]);
  }
}

/** Whether this is cgroup v2: one hierarchy, in which a group names its controllers. */
function isUnified(mount: string): boolean {
  return existsSync(join(mount, 'cgroup.controllers'));
}

/** Controllers that the kubelet requires in its root group if the machine's root group has them (its `Validate` on cgroup v2). */
const wanted = ['cpu', 'cpuset', 'hugetlb', 'memory', 'pids'];

function enableControllers(mount: string): void {
  const words = (file: string) => readFileSync(join(mount, file), 'utf8').split(/\s+/);
  const [present, enabled] = [words('cgroup.controllers'), words('cgroup.subtree_control')];
  const missing = wanted.filter((name) => present.includes(name) && !enabled.includes(name));
  if (missing.length === 0) return;
  writeFileSync(join(mount, 'cgroup.subtree_control'), missing.map((name) => `+${name}`).join(' '));
}

/** How limits on control groups show themselves inside a container, and how to lift them (cgroups(7)). */
const refusals: Readonly<Record<string, readonly [what: string, fix: string]>> = {
  EBUSY: [
    'has processes of its own, so the kernel enables no controllers below it',
    "in a container, give it the host's cgroup namespace (docker run --cgroupns=host), or move those processes into a group of their own",
  ],
  EROFS: [
    'is mounted read-only, and each node needs a control group of its own',
    'mount it read-write; in a container, run that privileged (docker run --privileged --cgroupns=host)',
  ],
  EACCES: [
    'cannot be changed by this process, and each node needs a control group of its own',
    "run as the host's root; in a container, run that privileged (docker run --privileged --cgroupns=host)",
  ],
};

/** The problem behind the kernel's refusal; undefined for any other error. */
export function refusalProblem(mount: string, code: string | undefined): Problem | undefined {
  const [what, fix] = refusals[code === 'EPERM' ? 'EACCES' : (code ?? '')] ?? [];
  if (what === undefined || fix === undefined) return undefined;
  return { where: `control groups in ${mount}`, what, received: code, fix };
}

/**
 * The folders in which a control group has to be created: one for cgroup v2, one per hierarchy for v1, where a hierarchy of
 * several controllers has a link for each (`cpu` and `cpuacct` to `cpu,cpuacct`).
 */
function hierarchies(mount: string): readonly string[] {
  if (isUnified(mount)) return [mount];
  const folders = readdirSync(mount)
    .map((name) => join(mount, name))
    .filter((path) => existsSync(join(path, 'cgroup.procs')))
    .map((path) => realpathSync(path));
  return [...new Set(folders)];
}

/** Removes the nodes' cgroups; the kernel releases them a moment after their last process ended. */
export async function removeCgroups(mount: string, nodes: readonly string[]): Promise<void> {
  const groups = hierarchies(mount).flatMap((hierarchy) =>
    nodes.map((node) => join(hierarchy, cgroupRoot(node))),
  );
  await waitFor(
    { what: 'the control groups of the nodes to be empty', timeoutMs: 20_000, intervalMs: 50 },
    () => {
      const left = groups.filter((path) => !removeTree(path));
      return left.length === 0
        ? { done: true, value: undefined }
        : { done: false, because: `${left.join(', ')} still in use` };
    },
  );
}

/** Control groups are removed folder by folder, the deepest first; their files are the kernel's. */
function removeTree(path: string): boolean {
  try {
    for (const entry of readdirSync(path, { withFileTypes: true })) {
      if (entry.isDirectory() && !removeTree(join(path, entry.name))) return false;
    }
    rmdirSync(path);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return true;
    if (code === 'EBUSY') return false;
    throw error;
  }
}
