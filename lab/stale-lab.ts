import { existsSync } from 'node:fs';
import type { Problem } from '../core/problem.ts';
import { removeNetnsFolder } from './netns-folder.ts';
import { labOwner, nodesInNetwork, ownerProblems, processesOfLab } from './network.ts';
import { removeShared } from './remove.ts';

/** The lab that another checkout has made on this machine. */
export interface ForeignLab {
  /** Path of its state folder. */
  readonly owner: string;
  /** Whether that folder is there: without it nothing of the checkout can be brought up or down any more. */
  readonly ownerExists: boolean;
  /** Process ids in its network namespaces; undefined where those cannot be seen from here. */
  readonly processes: readonly number[] | undefined;
}

/** The lab of another owner; undefined when there is none on this machine, or it is this owner's. */
export async function foreignLab(owner: string): Promise<ForeignLab | undefined> {
  const current = labOwner();
  if (current === undefined || current === owner) return undefined;
  return { owner: current, ownerExists: existsSync(current), processes: await processesOfLab() };
}

/** Why another checkout's lab cannot be removed: nothing when its checkout is gone and nothing of it runs. */
export function foreignLabProblems(owner: string, lab: ForeignLab | undefined): readonly Problem[] {
  if (lab === undefined) return [];
  const { ownerExists, processes } = lab;
  if (ownerExists || processes === undefined) return ownerProblems(owner, lab.owner);
  if (processes.length === 0) return [];
  return ownerProblems(owner, lab.owner).map((problem) => ({
    ...problem,
    what: `the lab of a checkout that is gone is on this machine, and its processes run: ${listed(processes)}`,
  }));
}

function listed(processes: readonly number[]): string {
  const shown = processes.slice(0, 5).join(', ');
  const others = processes.length - 5;
  return others > 0 ? `${shown} and ${others} more` : shown;
}

/** Removes what is left of a lab whose checkout is gone. Only under the machine's lock. */
export async function removeStaleLab({ owner }: ForeignLab): Promise<void> {
  await removeShared(owner, nodesInNetwork());
  // Its record, which said whether the folder was mounted before, is gone as well. Where it is empty, nobody misses it.
  await removeNetnsFolder();
}
