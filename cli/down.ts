import { rmSync } from 'node:fs';
import { synthUp } from './workspace/synth-mesh.ts';
import { findLab } from './lab-package.ts';
import { takeLock } from '../core/lock.ts';
import { removeMesh } from '../infra/apply/remove.ts';
import { pulumiOptions } from './pulumi.ts';
import { removeProved } from './proofs/record.ts';
import {
  everyAccess,
  identityOf,
  readRecord,
  removableMesh,
  removeRecord,
  type UpRecord,
} from './workspace/record.ts';
import { configOf } from './workspace/target.ts';
import { runTasks, type Task } from './output/tasks.ts';
import type { Workspace } from './workspace/workspace.ts';

export interface DownFlags {
  readonly purge?: boolean;
}

/** `npm run down`: removes what `up` made. Nothing to remove is no failure. */
export async function down(at: Workspace, flags: DownFlags, signal: AbortSignal): Promise<number> {
  const lock = takeLock(at.lockFile, 'npm run down');
  try {
    const record = readRecord(at.stateDir);
    const steps: Task[] = [];
    if (record !== undefined && !record.lab)
      steps.push({ title: 'mesh', run: (report) => removeApplied(at, record, report, signal) });
    // Loaded when it is needed: nothing but this knows of labs.
    steps.push(...((await findLab())?.labDown(at) ?? []));
    await runTasks(steps);
    removeRecord(at.stateDir);
    removeProved(at.stateDir);
    if (flags.purge) {
      rmSync(at.stateDir, { recursive: true, force: true });
      rmSync(at.cacheDir, { recursive: true, force: true });
    }
    process.stdout.write(
      `${steps.length === 0 ? 'nothing was up' : 'all that up made is removed'}${flags.purge ? ', the trust and the caches too' : ''}\n`,
    );
    return 0;
  } finally {
    lock.release();
  }
}

async function removeApplied(
  at: Workspace,
  record: UpRecord,
  report: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const mesh = await removableMesh(record, async () => (await synthUp(at.root, record)).model);
  if (record.engine === 'pulumi') {
    // Loaded when it is needed: Pulumi's library takes longer to load than most commands to run.
    const { downWithPulumi } = await import('../infra/pulumi/pulumi-engine.ts');
    await downWithPulumi(pulumiOptions(at, record, mesh, report, signal));
  }
  // After Pulumi, what it left: namespaces and definitions without objects of others.
  const { trustDir } = configOf(at, record);
  const identity = identityOf(record);
  await removeMesh(mesh, { access: everyAccess(record), trustDir, identity, report, signal });
}
