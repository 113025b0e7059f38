import type { MeshModel } from '../charts/model/mesh-model.ts';
import type { RenderedStage } from '../charts/synth.ts';
import { applyPlan } from '../infra/apply/apply.ts';
import type { Reach } from '../infra/kube/managed.ts';
import { planMesh } from '../infra/plan/plan.ts';
import type { StackConfig } from '../infra/plan/stack-config.ts';
import type { MeshIdentity } from '../infra/preflight/identity.ts';
import type { Touched } from './proofs/due.ts';
import { pulumiOptions } from './pulumi.ts';
import type { UpRecord } from './workspace/record.ts';
import type { SynthesizedMesh } from './workspace/synth-mesh.ts';
import type { Workspace } from './workspace/workspace.ts';

/** What an apply did. */
export interface AppliedMesh {
  /** For people: `1 created, 0 changed, 0 deleted, 190 unchanged`. */
  readonly summary: string;
  readonly touched: Touched;
}

interface ApplyRun {
  /** Whether the last `up` of what is up ended well. */
  readonly endedWell: boolean;
  /** Where earlier ones wrote, on an Istio of others. */
  readonly earlier: Reach;
  readonly identity: Pick<MeshIdentity, 'environment' | 'id'>;
  readonly report: (line: string) => void;
  /** Called when it is known whether there is something to apply; Pulumi does not tell. */
  readonly compared: (changesNothing: boolean) => void;
  /** Called when there is nothing to apply and everything is ready. */
  readonly settled: () => void;
  readonly signal: AbortSignal;
}

/** Brings the clusters to what is declared, with the engine of the record. */
export async function applyMesh(
  at: Workspace,
  record: UpRecord,
  config: StackConfig,
  { model, rendered }: SynthesizedMesh,
  options: ApplyRun,
): Promise<AppliedMesh> {
  return record.engine === 'pulumi'
    ? byPulumi(at, record, config, model, options)
    : byApply(model, rendered, { ...config, ...options });
}

async function byPulumi(
  at: Workspace,
  record: UpRecord,
  config: StackConfig,
  model: MeshModel,
  { endedWell, report, signal }: ApplyRun,
): Promise<AppliedMesh> {
  // Loaded when it is needed: Pulumi's library takes longer to load than most commands to run.
  const { upWithPulumi } = await import('../infra/pulumi/pulumi-engine.ts');
  const options = { ...pulumiOptions(at, record, model, report, signal), endedWell };
  const { created, changed, deleted, unchanged } = await upWithPulumi(config, options);
  return {
    summary: `Pulumi: ${created} created, ${changed} changed, ${deleted} deleted, ${unchanged} unchanged`,
    touched: created + changed + deleted === 0 ? [] : 'unknown',
  };
}

async function byApply(
  model: MeshModel,
  rendered: readonly RenderedStage[],
  options: Parameters<typeof applyPlan>[1],
): Promise<AppliedMesh> {
  const { stages, created, changed, deleted, unchanged } = await applyPlan(
    planMesh(model, rendered),
    options,
  );
  const counts = `${created} created, ${changed} changed, ${deleted} deleted, ${unchanged} unchanged`;
  const nothing = created + changed + deleted === 0;
  return {
    summary: nothing ? `nothing to change: all ${unchanged} objects are as declared` : counts,
    // What was deleted is counted, not named.
    touched: deleted > 0 ? 'unknown' : stages.flatMap((stage) => [...stage.created, ...stage.changed]),
  };
}
