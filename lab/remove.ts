import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { cgroupMount, removeCgroups } from './cgroups.ts';
import { withMachineLock } from './machine-lock.ts';
import { removeNetnsFolder } from './netns-folder.ts';
import {
  bridgeNamespace,
  endProcesses,
  labOwner,
  nodeNamespace,
  nodesInNetwork,
  ownerProblems,
  removeNetwork,
} from './network.ts';
import { stopNode } from './node-process.ts';
import { removeMountPoints } from './node/mounts.ts';
import type { LabOptions } from './options.ts';
import { readLabRecord, removeLabRecord } from './state.ts';

/** Whether there is a lab to be stopped: by its record, or, that lost, by the machine's network. */
export function labExists(stateDir: string): boolean {
  return readLabRecord(stateDir) !== undefined || labOwner() === stateDir;
}

/**
 * Takes a lab down: processes, namespaces, control groups, mount points, state. Logs stay until `purge`.
 * Nothing happens when there is no lab. Without the record the mount points stay, as empty folders. Of what the machine shares, nothing that is another owner's is touched.
 * @param lab.stateDir The lab's state folder; its path is the lab's owner.
 */
export async function stopLab(
  { stateDir, kubeconfig }: Pick<LabOptions, 'stateDir' | 'kubeconfig'>,
  report: (line: string) => void,
): Promise<void> {
  if (!labExists(stateDir)) return;
  await withMachineLock('npm run down', async () => {
    const record = readLabRecord(stateDir);
    const owner = labOwner();
    const nodes = record?.nodes ?? nodesInNetwork();
    const foreign = ownerProblems(stateDir, owner).length > 0;
    if (foreign) {
      for (const node of nodes) await stopNode(stateDir, node);
    } else {
      await removeShared(stateDir, nodes);
      removeMountPoints(record?.mountPoints ?? []);
      if (record?.netnsMounted === false) await removeNetnsFolder();
    }
    rmSync(join(stateDir, 'nodes'), { recursive: true, force: true });
    rmSync(kubeconfig, { force: true });
    removeLabRecord(stateDir);
    report(
      foreign
        ? `state removed; network and control groups are left, because they belong to the lab of ${owner ?? ''}`
        : `${nodes.join(', ')}: nodes, network, control groups and state removed`,
    );
  });
}

/** Ends the nodes, and removes their network and control groups. Only under the machine's lock. */
export async function removeShared(stateDir: string, nodes: readonly string[]): Promise<void> {
  for (const node of nodes) {
    await stopNode(stateDir, node);
    await endProcesses(nodeNamespace(node));
  }
  await endProcesses(bridgeNamespace);
  await removeNetwork(nodes);
  await removeCgroups(cgroupMount, nodes);
}
