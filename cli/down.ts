import { rmSync } from 'node:fs';
import { synthUp } from './workspace/synth-mesh.ts';
import { findLab } from './lab-package.ts';
import { takeLock } from '../core/lock.ts';
import { removeMesh } from '../infra/apply/remove.ts';
import { outsideNamespaces } from '../infra/plan/reach.ts';
import { pulumiOptions } from './pulumi.ts';
import { leftTasks } from './remove-left.ts';
import { removeProved } from './proofs/record.ts';
import { identityOf, readRecord, removableMesh, removeRecord, type UpRecord } from './workspace/record.ts';
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
    let kept = 0;
    const steps: (Task | readonly Task[])[] = [];
    if (record !== undefined && !record.lab) {
      steps.push({
        title: 'mesh',
        run: async (report) => {
          kept += await removeApplied(at, record, report, signal);
        },
      });
      // After the others: one that was destroyed keeps the mesh in none of them.
      const left = leftTasks(at, record, configOf(at, record).trustDir, signal, {
        kept: (objects) => (kept += objects),
      });
      if (left.length > 0) steps.push(left);
    }
    // Loaded when it is needed: nothing but this knows of labs.
    steps.push(...((await findLab())?.labDown(at) ?? []));
    await runTasks(steps);
    removeRecord(at.stateDir);
    removeProved(at.stateDir);
    if (flags.purge) {
      rmSync(at.stateDir, { recursive: true, force: true });
      rmSync(at.cacheDir, { recursive: true, force: true });
    }
    const removed = `all that up made is removed${kept === 0 ? '' : `, but for ${kept} kept: the lines above say what and why`}`;
    process.stdout.write(
      `${steps.length === 0 ? 'nothing was up' : removed}${flags.purge ? ', the trust and the caches too' : ''}\n`,
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
): Promise<number> {
  const mesh = await removableMesh(record, async () => {
    const { model, rendered } = await synthUp(at.root, record);
    return { ...model, outside: outsideNamespaces(rendered.flatMap(({ objects }) => objects)) };
  });
  if (record.engine === 'pulumi') {
    // Loaded when it is needed: Pulumi's library takes longer to load than most commands to run.
    const { downWithPulumi } = await import('../infra/pulumi/pulumi-engine.ts');
    await downWithPulumi(pulumiOptions(at, record, mesh, report, signal));
  }
  // After Pulumi, what it left: namespaces and definitions without objects of others.
  const { trustDir } = configOf(at, record);
  const identity = identityOf(record);
  const clusters = Object.keys(record.access).map((name) => ({ name }));
  return removeMesh({ ...mesh, clusters }, { access: record.access, trustDir, identity, report, signal });
}
