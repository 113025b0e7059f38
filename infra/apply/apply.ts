import { lastOfMesh, stages } from '../../charts/model/stage.ts';
import { allOrProblems } from '../../core/all-or-problems.ts';
import { applyObject, applyObjects } from './apply-object.ts';
import type { Applied } from './apply-object.ts';
import type { KubeClient } from '../kube/kube-client.ts';
import { describe } from '../kube/kube-object.ts';
import type { Reach } from '../kube/managed.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import type { Limits } from '../plan/limits.ts';
import type { Plan, PlanStep, StageKey } from '../plan/plan.ts';
import type { MeshIdentity } from '../preflight/identity.ts';
import { preflightMesh } from '../preflight/preflight.ts';
import { prune, willDelete } from './prune.ts';
import { RemoteLinks } from '../remote/remote-links.ts';
import type { StackConfig } from '../plan/stack-config.ts';
import { prepareSteps, renderAll, renderedIn, snapshotOf, stepKey, takeSnapshots } from './prepare.ts';
import type { PreparedStep, StepContext } from './prepare.ts';
import { clientOf, makeSecret, settle } from './step-work.ts';
import { withSigner } from '../trust/signer.ts';

export interface ApplyOptions extends Omit<StackConfig, 'values'> {
  readonly report: (line: string) => void;
  /** Called when the clusters have been compared with what is declared. @default - nobody is told */
  readonly compared?: (changesNothing: boolean) => void;
  /**
   * Called when there is nothing to apply and everything is ready, before it is awaited that the clusters read and reach each
   * other. @default - nobody is told
   */
  readonly settled?: () => void;
  /**
   * Where earlier applies of this mesh wrote. On an Istio of others nothing is deleted anywhere else that is not declared.
   * @default - nowhere
   */
  readonly earlier?: Reach;
  /** What tells the mesh from another one of its name. @default - its trust domain alone */
  readonly identity?: Pick<MeshIdentity, 'environment' | 'id'>;
  /** @default defaultLimits */
  readonly limits?: Partial<Limits>;
  readonly signal?: AbortSignal;
}

/** What one stage did in one cluster. Objects are named as `Deployment shop/catalog`. */
export interface StageSummary extends StageKey {
  readonly created: readonly string[];
  readonly changed: readonly string[];
  readonly unchanged: number;
}

export interface ApplySummary {
  readonly stages: readonly StageSummary[];
  /** Totals over all stages and clusters. */
  readonly created: number;
  readonly changed: number;
  readonly unchanged: number;
  /** What an earlier apply had made and is no longer declared (prune.ts). */
  readonly deleted: number;
}

/**
 * Carries out the plan with server-side apply: each stage is applied and awaited before the next one of its cluster,
 * and at the end what is no longer declared is deleted. Stages that change nothing, as the clusters are when it begins, and
 * come after nothing that changes, are only awaited, all side by side.
 * Can be run again at any time, after an interruption too: what is already right is left alone.
 * @throws ProblemsError: exit 2 for a wrong kubeconfig, context, trust folder or what somebody else made
 * (preflight.ts), before anything is changed; exit 1 when a cluster cannot be reached, refuses an object, or does not get ready in time.
 */
export async function applyPlan(planned: Plan, options: ApplyOptions): Promise<ApplySummary> {
  const { istioctl, report, limits, signal, earlier } = options;
  const plan = withSigner(planned, options.trust);
  const warn = (line: string) => {
    report(`warning: ${line}`);
  };
  const rendered = renderAll(plan, istioctl, signal);
  const releaseIn = (cluster: string) => renderedIn(rendered, cluster);
  const { clients, trust, identity } = await preflightMesh(plan, {
    ...options,
    ...(earlier && { earlierNamespaces: earlier.namespaces }),
    warn,
    releaseIn,
  });
  const links = new RemoteLinks({ ...options, plan, clients });
  const context = {
    ...{ plan, clients, trust, links, rendered, report },
    ...(identity && { identity }),
    ...(limits && { limits }),
    ...(signal && { signal }),
  };
  const before = await takeSnapshots(plan, context, earlier);
  const prepared = await prepareSteps(plan, before, context);
  const changesNothing =
    prepared.every(({ settled }) => settled !== undefined) && !deletes(plan, prepared, before);
  options.compared?.(changesNothing);
  let waiting = prepared.length;
  const readied = () => {
    waiting--;
    if (changesNothing && waiting === 0) options.settled?.();
  };
  const running = new Map<string, Promise<StageResult>>();
  for (const one of prepared) {
    const awaited = awaitedBy(one, plan).flatMap((key) => running.get(stepKey(key)) ?? []);
    const run = Promise.all(awaited).then(() => applyStep(one, { ...context, readied }));
    running.set(stepKey(one.step), run);
  }
  const results = await allOrProblems([...running.values()]);
  // Only now: what is no longer declared may have served calls until its successor was ready.
  const deleted = await allOrProblems(
    Object.values(clients).map((client) => {
      const applied = results
        .filter(({ summary }) => summary.cluster === client.cluster)
        .flatMap(({ objects }) => objects);
      return prune(client, plan, snapshotOf(before, client.cluster), applied, report, signal);
    }),
  );
  const stages = results.map(({ summary }) => summary);
  const total = (pick: (stage: StageSummary) => number) =>
    stages.reduce((sum, stage) => sum + pick(stage), 0);
  return {
    stages,
    created: total(({ created }) => created.length),
    changed: total(({ changed }) => changed.length),
    unchanged: total(({ unchanged }) => unchanged),
    deleted: deleted.reduce((sum, number) => sum + number, 0),
  };
}

/** Whether a cluster has what an earlier apply made and nobody declares now; all steps are settled. */
function deletes(
  plan: Plan,
  prepared: readonly PreparedStep[],
  before: Awaited<ReturnType<typeof takeSnapshots>>,
): boolean {
  const clusters = new Set(prepared.map(({ step }) => step.cluster));
  return [...clusters].some((cluster) => {
    const own = prepared.filter(({ step }) => step.cluster === cluster);
    const declared = own.flatMap(({ step, release, settled = [] }) => [
      ...settled,
      ...release,
      ...step.objects,
    ]);
    return willDelete(plan, snapshotOf(before, cluster), declared);
  });
}

/**
 * The steps to be over before a step. One that changes nothing awaits none, but for a cluster's last step of the mesh, which ends what the
 * steps before it have begun: see {@link settle}.
 */
function awaitedBy({ step, settled }: PreparedStep, { steps }: Plan): readonly StageKey[] {
  if (settled === undefined) return step.after;
  if (step.stage !== lastOfMesh) return [];
  return steps.filter(
    ({ cluster, stage }) => cluster === step.cluster && stages.indexOf(stage) < stages.indexOf(lastOfMesh),
  );
}

interface StageResult {
  readonly summary: StageSummary;
  readonly objects: readonly KubeObject[];
}

async function applyStep(
  { step, release, settled }: PreparedStep,
  context: StepContext,
): Promise<StageResult> {
  const { clients, report } = context;
  const client = clientOf(clients, step.cluster);
  const where = `${step.cluster} ${step.stage}`;
  const applied =
    settled === undefined
      ? await applyAll(client, step, release, context)
      : [...settled, ...release, ...step.objects].map(
          (object) => ({ object, outcome: 'unchanged' }) as const,
        );
  await settle(step, release, context);
  const named = (outcome: Applied['outcome']) =>
    applied.filter((entry) => entry.outcome === outcome).map(({ object }) => describe(object));
  const summary = {
    created: named('created'),
    changed: named('changed'),
    unchanged: named('unchanged').length,
  };
  for (const name of summary.changed) report(`${where}: changed ${name}`);
  const { created, changed, unchanged } = summary;
  if (applied.length > 0) {
    report(`${where}: ready, ${inWords({ created: created.length, changed: changed.length, unchanged })}`);
  }
  return {
    summary: { cluster: step.cluster, stage: step.stage, ...summary },
    objects: applied.map(({ object }) => object),
  };
}

async function applyAll(
  client: KubeClient,
  step: PlanStep,
  release: readonly KubeObject[],
  context: StepContext,
): Promise<readonly Applied[]> {
  const applied: Applied[] = [];
  for (const secret of step.secrets) {
    const object = await makeSecret(step, secret, context);
    applied.push({ object, outcome: await applyObject(client, object, context.signal) });
  }
  for (const objects of [release, step.objects])
    applied.push(...(await applyObjects(client, objects, context.signal)));
  return applied;
}

/** `3 created, 1 changed, 40 unchanged`; `nothing to change` when only the last is not zero. */
function inWords(counts: {
  readonly created: number;
  readonly changed: number;
  readonly unchanged: number;
}): string {
  const parts = Object.entries(counts).flatMap(([word, number]) =>
    typeof number === 'number' && number > 0 ? [`${number} ${word}`] : [],
  );
  return counts.created + counts.changed === 0
    ? `nothing to change, ${counts.unchanged} unchanged`
    : parts.join(', ');
}
