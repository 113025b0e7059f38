import { rmSync } from 'node:fs';
import { labExists, stopLab } from '../../lab/lab.ts';
import type { Task } from '../output/tasks.ts';
import type { Workspace } from '../workspace/workspace.ts';

/** Takes down the lab of a checkout; nothing where there is none. */
export function labDown(at: Workspace): readonly Task[] {
  if (!labExists(at.stateDir)) return [];
  return [
    {
      title: 'lab',
      run: async (report) => {
        await stopLab(at, report);
        // The clusters are gone, and with them all that a stack's state speaks of.
        rmSync(`${at.stateDir}/pulumi`, { recursive: true, force: true });
      },
    },
  ];
}
