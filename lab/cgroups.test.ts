import {
  closeSync,
  openSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { ProblemsError, formatProblem } from '../core/problem.ts';
import { ensureCgroups, refusalProblem, removeCgroups } from './cgroups.ts';

let mount = '';
beforeEach(() => {
  mount = mkdtempSync(join(tmpdir(), 'cgroups-'));
});
afterEach(() => {
  rmSync(mount, { recursive: true });
});
const write = (file: string, content: string) => {
  mkdirSync(join(mount, dirname(file)), { recursive: true });
  writeFileSync(join(mount, file), content);
};

describe('cgroup v2', () => {
  const control = () => readFileSync(join(mount, 'cgroup.subtree_control'), 'utf8');

  test('enables what the kubelet asks for, the kernel has and nobody has enabled', async () => {
    write('cgroup.controllers', 'cpuset cpu io memory pids rdma\n');
    write('cgroup.subtree_control', 'cpu memory\n');
    ensureCgroups(mount, ['east', 'west']);
    expect(control()).toBe('+cpuset +pids');
    expect(existsSync(join(mount, 'meshwright-east'))).toBe(true);
    expect(existsSync(join(mount, 'meshwright-west'))).toBe(true);
    await removeCgroups(mount, ['east', 'west']);
    expect(existsSync(join(mount, 'meshwright-east'))).toBe(false);
    expect(existsSync(join(mount, 'meshwright-west'))).toBe(false);
  });

  test('leaves the controllers alone when all are enabled', () => {
    write('cgroup.controllers', 'cpuset cpu memory hugetlb pids\n');
    write('cgroup.subtree_control', 'cpuset cpu memory hugetlb pids\n');
    ensureCgroups(mount, ['east']);
    expect(control()).toBe('cpuset cpu memory hugetlb pids\n');
  });
});

describe('cgroup v1', () => {
  test('makes one group a hierarchy, also where links lead to one', async () => {
    write('cpu,cpuacct/cgroup.procs', '');
    write('memory/cgroup.procs', '');
    write('other/file', '');
    symlinkSync('cpu,cpuacct', join(mount, 'cpu'));
    symlinkSync('cpu,cpuacct', join(mount, 'cpuacct'));
    ensureCgroups(mount, ['east']);
    mkdirSync(join(mount, 'memory/meshwright-east/kubepods/pod1'), { recursive: true });
    expect(existsSync(join(mount, 'cpu,cpuacct/meshwright-east'))).toBe(true);
    expect(existsSync(join(mount, 'other/meshwright-east'))).toBe(false);
    await removeCgroups(mount, ['east', 'never-made']);
    expect(existsSync(join(mount, 'cpu,cpuacct/meshwright-east'))).toBe(false);
    expect(existsSync(join(mount, 'memory/meshwright-east'))).toBe(false);
  });
});

describe('refusals of the kernel', () => {
  const where = 'control groups in /sys/fs/cgroup';

  test.each([
    [
      'EBUSY',
      `${where}: has processes of its own, so the kernel enables no controllers below it; received "EBUSY"; ` +
        "fix: in a container, give it the host's cgroup namespace (docker run --cgroupns=host), " +
        'or move those processes into a group of their own',
    ],
    [
      'EROFS',
      `${where}: is mounted read-only, and each node needs a control group of its own; received "EROFS"; ` +
        'fix: mount it read-write; in a container, run that privileged (docker run --privileged --cgroupns=host)',
    ],
    [
      'EPERM',
      `${where}: cannot be changed by this process, and each node needs a control group of its own; received "EPERM"; ` +
        "fix: run as the host's root; in a container, run that privileged (docker run --privileged --cgroupns=host)",
    ],
  ])('explains %s', (code, expected) => {
    const problem = refusalProblem('/sys/fs/cgroup', code);
    expect(problem && formatProblem(problem)).toBe(expected);
  });

  test('are met while controllers are enabled', () => {
    write('cgroup.controllers', 'pids\n');
    // The kernel lets nobody write to this file; in a container its file system is read-only besides.
    const closed = '/sys/kernel/uevent_seqnum';
    symlinkSync(closed, join(mount, 'cgroup.subtree_control'));
    const problem = refusalProblem(mount, refusalOf(closed));
    expect(() => {
      ensureCgroups(mount, ['east']);
    }).toThrow(new ProblemsError(problem === undefined ? [] : [problem]));
  });

  test('does not explain another error', () => {
    expect(() => {
      ensureCgroups(join(mount, 'none'), ['east']);
    }).toThrow(`ENOENT: no such file or directory, scandir '${mount}/none'`);
  });
});

function refusalOf(file: string): string | undefined {
  try {
    closeSync(openSync(file, 'r+'));
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code;
  }
}
