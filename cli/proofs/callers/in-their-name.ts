import { createHash } from 'node:crypto';
import { defaultRevision, nameLabel, revisionLabel } from '../../../charts/model/labels.ts';
import type { MeshModel, WorkloadModel } from '../../../charts/model/mesh-model.ts';
import { ProblemsError, type Problem } from '../../../core/problem.ts';
import { managedLabels } from '../../../infra/kube/kube-object.ts';
import { callersOf, imageFor, titleOf, type CallerModel } from '../edges.ts';
import { runProgram } from '../pod.ts';
import type { Proof, ProofContext } from '../proof.ts';
import { readAnswers, type Answers } from './answers.ts';

/** What a caller is tried at. */
export interface Target {
  /** What it is called in titles. */
  readonly title: string;
}

/** What is tried in the name of callers, at targets that each answer once. */
export interface Trial<T extends Target, A> {
  /** What the pods do. */
  readonly does: 'probe' | 'connect' | 'request';
  /** What is claimed of a caller, after its name: `gets to catalog and inventory`. */
  readonly claim: (callees: string) => string;
  /** CommonJS, which prints an answer for each target. */
  readonly program: string;
  /** What it takes, each as JSON. */
  readonly args: (targets: readonly T[]) => readonly unknown[];
  readonly answers: Answers<A>;
  /** What a pod that prints something else leaves unsaid: `what it was answered`. */
  readonly unsaid: string;
  /** What is wrong with an answer; undefined when nothing is. */
  readonly problem: (at: TriedAt, target: T, answer: A) => Problem | undefined;
  /** What an answer shows, where nothing is wrong. */
  readonly summary: (target: T, answer: A) => string;
}

/** Whose pod tried. */
export interface TriedAt {
  readonly caller: Pick<CallerModel, 'name'>;
  readonly cluster: string;
  /** `orders in west` */
  readonly where: string;
  /** Of the pod. */
  readonly pod: string;
}

/**
 * Tries something in the name of every workload and every job, in every cluster that it runs in, from a pod with its service account and
 * labels, which takes no traffic.
 * @param targetsOf - what a caller is tried at; a caller without any has no proof
 */
export function inTheirName<T extends Target, A>(
  model: MeshModel,
  trial: Trial<T, A>,
  targetsOf: (caller: CallerModel) => readonly T[],
): readonly Proof[] {
  return callersOf(model).flatMap((caller) => {
    const image = imageFor(model, caller);
    const targets = targetsOf(caller);
    if (image === undefined || targets.length === 0) return [];
    const claim = trial.claim(new Intl.ListFormat('en').format(targets.map(({ title }) => title)));
    return caller.answersFrom.map((cluster) => ({
      title: `${titleOf(model, caller)} in ${cluster} ${claim}`,
      run: (context: ProofContext) => prove(context, trial, { caller, cluster, image, targets }),
      // Each object may stand in the way of a call.
      concerns: () => true,
    }));
  });
}

interface Probe<T> {
  readonly caller: CallerModel;
  readonly cluster: string;
  readonly image: string;
  readonly targets: readonly T[];
}

async function prove<T extends Target, A>(
  { model, clients, signal }: ProofContext,
  trial: Trial<T, A>,
  { caller, cluster, image, targets }: Probe<T>,
): Promise<string> {
  const client = clients[cluster];
  if (client === undefined) throw new Error(`no client of ${cluster}`);
  const name = podName(caller, trial.does);
  const { namespace } = caller;
  const printed = await runProgram(
    client,
    {
      ...{ name, namespace, image, labels: probeLabels(model, caller) },
      annotations: caller.proxyAnnotations,
      serviceAccountName: caller.name,
      source: trial.program,
      args: trial.args(targets).map((arg) => JSON.stringify(arg)),
    },
    signal,
  );
  const at = { caller, cluster, where: `${caller.name} in ${cluster}`, pod: `${namespace}/${name}` };
  return judge(trial, at, targets, printed);
}

/**
 * What was seen of each target.
 * @throws ProblemsError (exit 1) for each whose answer is not as it should be
 */
export function judge<T extends Target, A>(
  { answers: format, unsaid, problem, summary }: Trial<T, A>,
  at: TriedAt,
  targets: readonly T[],
  printed: string,
): string {
  const answers = readAnswers(format, printed);
  if (answers?.length !== targets.length) {
    const what = `its probe, pod ${at.pod}, did not say ${unsaid}`;
    throw new ProblemsError([{ where: at.where, what, received: printed.trim() }], 1);
  }
  const seen = targets.flatMap((target, index) =>
    answers.slice(index, index + 1).map((answer) => ({ target, answer })),
  );
  const problems = seen.flatMap(({ target, answer }) => problem(at, target, answer) ?? []);
  if (problems.length > 0) throw new ProblemsError(problems, 1);
  return seen.map(({ target, answer }) => summary(target, answer)).join(', ');
}

/**
 * Labels of a caller's probe: what its Sidecar and the policies of its traffic go by, and on an Istio of others what asks for a proxy, as
 * a namespace that the mesh shares need not.
 */
export function probeLabels(
  { name: mesh, existing }: Pick<MeshModel, 'name' | 'existing'>,
  { name }: Pick<WorkloadModel, 'name'>,
): Readonly<Record<string, string>> {
  const own = { [nameLabel]: name, ...managedLabels(mesh) };
  if (existing === undefined) return own;
  const ofRevision = existing.revision === defaultRevision ? {} : { [revisionLabel]: existing.revision };
  return { ...own, 'sidecar.istio.io/inject': 'true', ...ofRevision };
}

/** A name that is a caller's alone, and a DNS label however long the caller's is. */
export function podName(
  { name, namespace }: Pick<WorkloadModel, 'name' | 'namespace'>,
  does: Trial<Target, unknown>['does'],
): string {
  const digest = createHash('sha256').update(`${namespace}/${name}`).digest('hex').slice(0, 8);
  return `meshwright-${does}-${name.slice(0, 25).replace(/-+$/, '')}-${digest}`;
}
