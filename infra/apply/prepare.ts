import { allOrProblems } from '../../core/all-or-problems.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import type { Plan, PlanStep, StageKey } from '../plan/plan.ts';
import type { Reach } from '../kube/managed.ts';
import { outsideNamespaces, plannedNamespaces } from '../plan/reach.ts';
import { Snapshot } from './snapshot.ts';
import { finishRelease, makeSecret, renderRelease } from './step-work.ts';
import type { PlanContext } from './step-work.ts';

export interface StepContext extends PlanContext {
  /** What istioctl makes of the releases of each step. */
  readonly rendered: ReadonlyMap<PlanStep, Promise<readonly KubeObject[]>>;
}

/** Begins to render the releases of all steps; whoever awaits one is told when it fails. */
export function renderAll(plan: Plan, istioctl: string, signal?: AbortSignal): StepContext['rendered'] {
  return new Map(
    plan.steps.map((step) => {
      const rendering = renderRelease(step, istioctl, { plan, ...(signal && { signal }) });
      rendering.catch(() => undefined);
      return [step, rendering] as const;
    }),
  );
}

/** What istioctl made of the releases of one cluster. */
export async function renderedIn(
  rendered: StepContext['rendered'],
  cluster: string,
): Promise<readonly KubeObject[]> {
  const own = [...rendered].filter(([step]) => step.cluster === cluster);
  return (await allOrProblems(own.map(([, objects]) => objects))).flat();
}

/** A step, and what is known of it before anything is applied. */
export interface PreparedStep {
  readonly step: PlanStep;
  readonly release: readonly KubeObject[];
  /** Its secrets, where the whole step and all that it comes after are in the clusters just as they would be applied. */
  readonly settled: readonly KubeObject[] | undefined;
}

export type Snapshots = Readonly<Record<string, Snapshot>>;

/**
 * Reads all that each cluster holds of the mesh.
 * @param earlier - where earlier applies wrote, for a mesh on an Istio of others
 */
export async function takeSnapshots(
  plan: Plan,
  { clients, signal }: StepContext,
  earlier: Reach = { namespaces: [], outside: [] },
): Promise<Snapshots> {
  const taken = Object.entries(clients).map(async ([name, client]) => {
    const reach =
      plan.existing === undefined
        ? undefined
        : {
            namespaces: [...plannedNamespaces(plan), ...earlier.namespaces],
            outside: [...outsideNamespaces(plan.steps.flatMap(({ objects }) => objects)), ...earlier.outside],
          };
    return [name, await Snapshot.take(client, plan.mesh, signal, reach)] as const;
  });
  return Object.fromEntries(await allOrProblems(taken));
}

/** That of a cluster of the plan. */
export function snapshotOf(snapshots: Snapshots, cluster: string): Snapshot {
  const found = snapshots[cluster];
  if (found === undefined) throw new Error(`no snapshot was taken of cluster ${cluster}`);
  return found;
}

/** Prepares all steps side by side, each one's answer after those of the steps before it. */
export async function prepareSteps(
  plan: Plan,
  snapshots: Snapshots,
  context: StepContext,
): Promise<readonly PreparedStep[]> {
  const works = new Map<string, Promise<PreparedStep>>();
  for (const step of plan.steps) {
    const before = step.after.flatMap((key) => works.get(stepKey(key)) ?? []);
    works.set(stepKey(step), prepare(step, snapshotOf(snapshots, step.cluster), before, context));
  }
  return allOrProblems([...works.values()]);
}

async function prepare(
  step: PlanStep,
  snapshot: Snapshot,
  before: readonly Promise<PreparedStep>[],
  context: StepContext,
): Promise<PreparedStep> {
  const release = finishRelease(step, (await context.rendered.get(step)) ?? [], context);
  const holds = (objects: readonly KubeObject[]) => snapshot.holds(objects, context.signal);
  const unsettled = { step, release, settled: undefined };
  if ((await Promise.all(before)).some(({ settled }) => settled === undefined)) return unsettled;
  if (!(await holds([...release, ...step.objects]))) return unsettled;
  const secrets = await allOrProblems(step.secrets.map((secret) => makeSecret(step, secret, context, true)));
  return (await holds(secrets)) ? { step, release, settled: secrets } : unsettled;
}

/** A step in a few letters, different for each. */
export function stepKey({ cluster, stage }: StageKey): string {
  return `${cluster}/${stage}`;
}
