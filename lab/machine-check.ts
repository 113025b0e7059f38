import { statfsSync, readFileSync, existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { throwIfAny, type Problem } from '../core/problem.ts';
import { defaultSubnet, overlaps, type LabAddresses } from './addresses.ts';
import { networksInUse, ownerLengthProblems } from './network.ts';
import { nodeProcess } from './node-process.ts';
import { foreignLab, foreignLabProblems, type ForeignLab } from './stale-lab.ts';

const gib = 2 ** 30;

/** Measured needs of a lab of two nodes, with some reserve. */
const needs = { diskGiB: 8, memoryGiB: 4 } as const;

/** The facts about a machine that decide whether a lab can run on it. */
export interface MachineFacts {
  readonly platform: string;
  readonly architecture: string;
  /** Effective user id; 0 is root. */
  readonly uid: number;
  /** Free bytes where the lab keeps its state. */
  readonly freeDisk: number;
  /** Bytes of memory available without swapping. */
  readonly freeMemory: number;
}

/** Reads the facts of this machine; `stateDir` need not exist yet. */
export function machineFacts(stateDir: string): MachineFacts {
  let existing = stateDir;
  while (!existsSync(existing)) existing = dirname(existing);
  const disk = statfsSync(existing);
  return {
    platform: process.platform,
    architecture: process.arch,
    uid: process.geteuid?.() ?? -1,
    freeDisk: disk.bavail * disk.bsize,
    freeMemory: availableMemory(),
  };
}

function availableMemory(): number {
  if (!existsSync('/proc/meminfo')) return Infinity;
  const [, kilobytes] = /^MemAvailable:\s+(\d+) kB$/m.exec(readFileSync('/proc/meminfo', 'utf8')) ?? [];
  return kilobytes === undefined ? Infinity : Number(kilobytes) * 1024;
}

const elsewhere = 'or use two clusters you have: `npm run up -- --context east=CTX --context west=CTX`';

/**
 * Everything about the machine that keeps a lab from running on it; nothing is changed.
 * @param startsNode Whether a node has to be started, which needs disk and memory; running nodes have theirs already.
 */
export function machineProblems(facts: MachineFacts, startsNode: boolean): readonly Problem[] {
  const problems: Problem[] = [];
  if (facts.platform !== 'linux' || facts.architecture !== 'x64') {
    problems.push({
      where: 'lab',
      what: 'this machine is not Linux on x64, which nodes of the lab need',
      received: `${facts.platform} ${facts.architecture}`,
      allowed: 'linux x64',
      fix: `run it on a Linux machine, ${elsewhere}`,
    });
    return problems; // the other checks do not apply on other platforms
  }
  if (facts.uid !== 0) {
    problems.push({
      where: 'lab',
      what: 'creates network namespaces, mounts and control groups, which requires root',
      received: `user id ${facts.uid}`,
      allowed: 'root (user id 0)',
      fix: `run the command as root, ${elsewhere}`,
    });
  }
  if (startsNode && facts.freeDisk < needs.diskGiB * gib) {
    problems.push({
      where: 'lab',
      what: 'too little disk space for images and nodes',
      received: `${(facts.freeDisk / gib).toFixed(1)} GiB free`,
      allowed: `${needs.diskGiB} GiB or more`,
      fix: 'free disk space, or move the checkout to a larger disk',
    });
  }
  if (startsNode && facts.freeMemory < needs.memoryGiB * gib) {
    problems.push({
      where: 'lab',
      what: 'too little memory for two clusters',
      received: `${(facts.freeMemory / gib).toFixed(1)} GiB available`,
      allowed: `${needs.memoryGiB} GiB or more`,
      fix: 'stop other programs, or use a larger machine',
    });
  }
  return problems;
}

/**
 * What keeps a lab from taking its subnet: another checkout's lab, unless it is stale, or a network that is there
 * already. The lab listens on no port of the host, so no port can be busy.
 */
export function networkProblems(
  addresses: LabAddresses,
  owner: string,
  other: ForeignLab | undefined,
  inUse: readonly { readonly network: string; readonly device: string }[],
): readonly Problem[] {
  const foreign = foreignLabProblems(owner, other);
  if (foreign.length > 0) return foreign;
  const busy = inUse.find(({ network }) => overlaps(addresses.subnet, network));
  if (busy === undefined) return [];
  return [
    {
      where: '--lab-subnet',
      what: `is in use: network ${busy.network} on device ${busy.device}`,
      received: addresses.subnet,
      allowed: 'an IPv4 /24 that this machine has no route to',
      fix: `choose another, such as \`npm run up -- --lab-subnet ${freeSubnet(inUse)}\``,
    },
  ];
}

/** A /24 that overlaps none of the networks. */
function freeSubnet(inUse: readonly { readonly network: string }[]): string {
  const candidates = ['172.30', '192.168', '10.200'].flatMap((prefix) =>
    Array.from({ length: 256 }, (_, octet) => `${prefix}.${octet}.0/24`),
  );
  return (
    candidates.find((candidate) => inUse.every(({ network }) => !overlaps(candidate, network))) ??
    defaultSubnet
  );
}

/**
 * Checks the machine and its network before anything is installed or created.
 * @param owner The owner of the new lab: the path of the state folder.
 * @throws ProblemsError (exit code 2)
 */
export async function preflight(stateDir: string, owner: string, addresses: LabAddresses): Promise<void> {
  const startsNode = Object.keys(addresses.nodes).some((node) => nodeProcess(stateDir, node) === undefined);
  throwIfAny([...ownerLengthProblems(owner), ...machineProblems(machineFacts(stateDir), startsNode)]);
  // Without iproute2 there is no lab yet, and nothing to collide with; it is installed with the other packages.
  if (!existsSync('/sbin/ip') && !existsSync('/usr/sbin/ip') && !existsSync('/bin/ip')) return;
  throwIfAny(networkProblems(addresses, owner, await foreignLab(owner), await networksInUse()));
}
