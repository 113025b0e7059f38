import { ProblemsError } from '../../core/problem.ts';
import type { KubeClient } from '../kube/kube-client.ts';
import { describe } from '../kube/kube-object.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import { newestPods } from '../kube/newest-pods.ts';
import { byOutlook, subjectOf, troublesOf } from '../kube/pod-trouble.ts';
import { isObserved, lookAt } from '../plan/readiness.ts';

/** A Deployment or StatefulSet of the mesh whose last change has not arrived: pods of an earlier template may still be ready. */
export interface Rollout {
  readonly cluster: string;
  /** `Deployment shop/catalog` */
  readonly object: string;
  /** What is missing: `0 of 1 replicas updated`. */
  readonly missing: string;
  /** Why the newest pods do not start, as far as they tell. */
  readonly because: string | null;
}

/** The roll-outs that have not ended, with what their newest pods say. */
export async function unfinishedRollouts(
  client: KubeClient,
  workloads: readonly (KubeObject | undefined)[],
  signal?: AbortSignal,
): Promise<readonly Rollout[]> {
  const found = await Promise.all(
    workloads.map(async (live): Promise<readonly Rollout[]> => {
      if (live === undefined) return [];
      const look = lookAt(live.kind === 'StatefulSet' ? 'complete' : 'available', live);
      if (look.done) return [];
      const because = await reasonOf(client, live, signal);
      return [{ cluster: client.cluster, object: describe(live), missing: look.because, because }];
    }),
  );
  return found.flat();
}

async function reasonOf(
  client: KubeClient,
  live: KubeObject,
  signal: AbortSignal | undefined,
): Promise<string | null> {
  if (!isObserved(live)) return null;
  try {
    const pods = await newestPods(client, live, signal);
    const [worst] = pods.flatMap(troublesOf).sort(byOutlook);
    return worst === undefined ? null : `${subjectOf(worst)} ${worst.what}`;
  } catch (error) {
    signal?.throwIfAborted();
    if (!(error instanceof ProblemsError)) throw error;
    return `its pods cannot be read: ${error.message}`;
  }
}
