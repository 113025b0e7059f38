import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { waitFor } from '../../../core/wait.ts';
import { coveredPaths } from '../../../lab/node/mounts.ts';
import { stateDir } from './cli.ts';

/** Everything that a lab puts on a machine, as it stands now. */
export interface MachineState {
  readonly processes: readonly string[];
  readonly mounts: readonly string[];
  readonly networkNamespaces: readonly string[];
  readonly links: readonly string[];
  readonly addresses: readonly string[];
  readonly routes: readonly string[];
  readonly cgroups: readonly string[];
  readonly firewall: readonly string[];
  readonly folders: readonly string[];
}

/**
 * The machine once two looks, a second apart, see the same: programs that the daemons start for a moment, such as
 * kube-proxy's for its rules, come and go by themselves.
 */
export function settledMachineState(): Promise<MachineState> {
  let before: MachineState | undefined;
  return waitFor({ what: 'the machine to be the same twice', timeoutMs: 60_000, intervalMs: 1_000 }, () => {
    const [last, seen] = [before, machineState()];
    before = seen;
    return isDeepStrictEqual(last, seen)
      ? { done: true, value: seen }
      : { done: false, because: 'processes or parts of a lab come and go' };
  });
}

/** Where the lifecycle suite leaves what the machine was like before the first `up`. */
export function cleanMachineFile(): string {
  return join(stateDir, 'clean-machine.json');
}

export function machineState(): MachineState {
  return {
    processes: labProcesses(),
    mounts: lines(readFileSync('/proc/self/mounts', 'utf8')),
    networkNamespaces: existsSync('/run/netns') ? readdirSync('/run/netns').sort() : [],
    links: lines(output('ip', ['-brief', 'link'])).map((line) => line.split(/\s+/)[0] ?? ''),
    addresses: lines(output('ip', ['-brief', 'address'])),
    routes: lines(output('ip', ['route', 'show', 'table', 'all'])),
    cgroups: cgroups(),
    // Counters aside, which move by themselves.
    firewall: lines(output('nft', ['--stateless', 'list', 'ruleset'])),
    folders: coveredPaths.filter((path) => existsSync(path)),
  };
}

/** Processes of a node: its daemons, its shims and containers, wherever they hide. Other processes come and go by themselves. */
function labProcesses(): readonly string[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .flatMap((pid) => {
      try {
        const executable = readlinkSync(join('/proc', pid, 'exe'));
        const command = readFileSync(join('/proc', pid, 'cmdline'), 'utf8')
          .replaceAll('\0', ' ')
          .trim();
        const cgroup = readFileSync(join('/proc', pid, 'cgroup'), 'utf8');
        const ours =
          executable.includes('/meshwright/tools/') ||
          command.includes('lab/node/init.ts') ||
          cgroup.includes('/meshwright-');
        return ours ? [`${executable} ${command}`] : [];
      } catch {
        return []; // a kernel thread, or ended meanwhile
      }
    })
    .sort();
}

function cgroups(): readonly string[] {
  return readdirSync('/sys/fs/cgroup', { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap(({ name }) => [
      name,
      ...readdirSync(join('/sys/fs/cgroup', name)).map((child) => join(name, child)),
    ])
    .filter((path) => path.includes('meshwright'))
    .sort();
}

function output(command: string, args: readonly string[]): string {
  try {
    return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  } catch (error) {
    // Before the first `up` the program may not be installed: then it has made nothing either.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}

function lines(text: string): readonly string[] {
  return text.split('\n').filter(Boolean).sort();
}
