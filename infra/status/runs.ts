import type { RunModel } from '../../charts/model/mesh-model.ts';
import type { KubeClient } from '../kube/kube-client.ts';
import { condition, field, list, text } from '../kube/kube-object.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import { said } from '../kube/pod-trouble.ts';
import { jobFailure, lookAt } from '../plan/readiness.ts';

/** A Job or CronJob of the mesh in a cluster. */
export interface RunStatus {
  readonly cluster: string;
  /** `Job shop/migrate-1a2b3c4d` */
  readonly object: string;
  /**
   * Of a Job: `complete`, `failed`, `running`, or `missing` where it is not there. Of a CronJob how its last run ended, or `running` while its first does;
   * `waiting` before that, and `suspended` where no more begin.
   */
  readonly state: 'complete' | 'failed' | 'running' | 'missing' | 'waiting' | 'suspended';
  /** Why it failed, or what is missing; null where nothing is wrong. */
  readonly because: string | null;
  /** When it, or the last run that did, succeeded; ISO 8601, null where none did. */
  readonly succeeded: string | null;
  /** When it, or the last run that did, failed, as far as it is kept; ISO 8601, null where none did. */
  readonly failed: string | null;
}

/** How the jobs of a mesh are in a cluster. */
export async function runsIn(
  client: KubeClient,
  runs: readonly RunModel[],
  signal?: AbortSignal,
): Promise<readonly RunStatus[]> {
  const here = runs.filter(({ placement }) => placement.includes(client.cluster));
  return Promise.all(here.map((run) => statusOf(client, run, signal)));
}

async function statusOf(
  client: KubeClient,
  { kind, namespace, object: name }: RunModel,
  signal: AbortSignal | undefined,
): Promise<RunStatus> {
  const live = await client.get({ apiVersion: 'batch/v1', kind, metadata: { namespace, name } }, signal);
  const base = { cluster: client.cluster, object: `${kind} ${namespace}/${name}` };
  if (live === undefined) {
    const because = kind === 'Job' ? 'it is not there, and the next up runs it' : 'it is not there';
    return { ...base, state: 'missing', because, succeeded: null, failed: null };
  }
  if (kind === 'Job') return { ...base, ...stateOf(live) };
  const made = await runsOf(client, live, signal);
  const ended = made.map(stateOf).sort((a, b) => endOf(a).localeCompare(endOf(b)));
  const last = ended.filter(({ state }) => state !== 'running').at(-1);
  // The controller writes it a moment after a run has ended, and keeps it longer than the run.
  const kept = ended.findLast((one) => one.succeeded !== null)?.succeeded ?? null;
  const succeeded = text(live, 'status', 'lastSuccessfulTime') ?? kept;
  const failed = ended.findLast((one) => one.failed !== null)?.failed ?? null;
  const times = { succeeded, failed };
  if (field(live, 'spec', 'suspend') === true)
    return { ...base, state: 'suspended', because: null, ...times };
  if (last !== undefined) return { ...base, state: last.state, because: last.because, ...times };
  const state =
    list(live, 'status', 'active').length > 0 ? 'running' : succeeded === null ? 'waiting' : 'complete';
  return { ...base, state, because: null, ...times };
}

type JobState = Pick<RunStatus, 'state' | 'because' | 'succeeded' | 'failed'>;

function stateOf(job: KubeObject): JobState {
  const failure = jobFailure(job);
  if (failure !== undefined) {
    const because = said(failure.reason, failure.message);
    return { state: 'failed', because, succeeded: null, failed: failure.since ?? null };
  }
  if (!lookAt('ended', job).done) return { state: 'running', because: null, succeeded: null, failed: null };
  const succeeded =
    text(job, 'status', 'completionTime') ?? text(condition(job, 'Complete'), 'lastTransitionTime');
  return { state: 'complete', because: null, succeeded: succeeded ?? null, failed: null };
}

function endOf({ succeeded, failed }: JobState): string {
  return succeeded ?? failed ?? '';
}

/** The runs of a CronJob that are kept. */
async function runsOf(
  client: KubeClient,
  live: KubeObject,
  signal: AbortSignal | undefined,
): Promise<readonly KubeObject[]> {
  const type = await client.typeOf('batch/v1', 'Job', signal);
  const { namespace } = live.metadata;
  if (type === undefined || namespace === undefined) return [];
  const uid = text(live, 'metadata', 'uid');
  const jobs = await client.list(type, { namespace, ...(signal && { signal }) });
  return jobs.filter((job) =>
    list(job, 'metadata', 'ownerReferences').some((owner) => text(owner, 'uid') === uid),
  );
}
