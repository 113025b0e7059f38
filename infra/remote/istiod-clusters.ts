import { z } from 'zod';
import { ProblemsError } from '../../core/problem.ts';
import type { KubeClient } from '../kube/kube-client.ts';
import { askIstiod, istiodContainer, readyIstiods } from '../kube/istiod.ts';

/** istiod's own sync status of a cluster; `unknown` when it cannot be read. */
export type SyncStatus = 'synced' | 'syncing' | 'timeout' | 'closed' | 'unknown';

/** The sync status that one istiod reports for one remote cluster. */
export interface Reading {
  /** The istiod's pod. */
  readonly pod: string;
  readonly status: SyncStatus;
  /** Why the status is unknown. */
  readonly because?: string;
}

const clusterzSchema = z.array(
  z.object({ id: z.string(), syncStatus: z.enum(['synced', 'syncing', 'timeout', 'closed']) }),
);

/**
 * Parses istiod's `/debug/clusterz`: its clusters, including its own.
 * @returns status by cluster; undefined when the answer has another form
 */
export function parseClusterz(answer: string): ReadonlyMap<string, SyncStatus> | undefined {
  let content: unknown;
  try {
    content = JSON.parse(answer);
  } catch {
    return undefined;
  }
  const parsed = clusterzSchema.safeParse(content);
  return parsed.success ? new Map(parsed.data.map(({ id, syncStatus }) => [id, syncStatus])) : undefined;
}

/**
 * The last reason in istiod's log why it cannot list a remote cluster: `failed to list *v1.Pod: Unauthorized`.
 */
export function lastWatchError(log: string, cluster: string): string | undefined {
  const mark = `watch error in cluster ${cluster}: `;
  const line = log.split('\n').findLast((entry) => entry.includes(mark));
  return line?.slice(line.indexOf(mark) + mark.length).trim();
}

/**
 * Asks every ready istiod of a cluster, of any revision, for its sync status with the other clusters.
 * @returns for each of `remotes` one reading per istiod; empty when no istiod is ready
 */
export async function readClusters(
  client: KubeClient,
  namespace: string,
  remotes: readonly string[],
  signal?: AbortSignal,
): Promise<ReadonlyMap<string, readonly Reading[]>> {
  return readingsOf(await askClusters(client, namespace, signal), remotes);
}

/** What one istiod says of the clusters that it reads. */
export interface ClusterAnswer {
  /** The istiod's pod. */
  readonly pod: string;
  /** Status by cluster, its own among them; undefined when it cannot be read. */
  readonly seen: ReadonlyMap<string, SyncStatus> | undefined;
  /** Why it cannot be read. */
  readonly because: string;
}

/** Asks every ready istiod of a cluster, of any revision, which clusters it reads. */
export async function askClusters(
  client: KubeClient,
  namespace: string,
  signal?: AbortSignal,
): Promise<readonly ClusterAnswer[]> {
  const pods = await readyIstiods(client, namespace, signal);
  return Promise.all(
    pods.map(async (pod) => {
      try {
        const seen = parseClusterz(await askIstiod(client, namespace, pod, '/debug/clusterz', signal));
        return { pod, seen, because: 'its answer to /debug/clusterz cannot be read' };
      } catch (error) {
        // The pod has just ended, or the credentials may not run commands in it.
        if (!(error instanceof ProblemsError)) throw error;
        return { pod, seen: undefined, because: error.problems.map(({ what }) => what).join('; ') };
      }
    }),
  );
}

/** Of each of `remotes` what each istiod says. */
export function readingsOf(
  answers: readonly ClusterAnswer[],
  remotes: readonly string[],
): ReadonlyMap<string, readonly Reading[]> {
  const readingOf = (remote: string) =>
    answers.map(({ pod, seen, because }): Reading => {
      if (seen === undefined) return { pod, status: 'unknown', because };
      const status = seen.get(remote);
      return status === undefined
        ? { pod, status: 'unknown', because: 'it has not loaded the remote secret' }
        : { pod, status };
    });
  return new Map(remotes.map((remote) => [remote, readingOf(remote)]));
}

/** istiod's log of the last two minutes, to find out why it does not sync. */
export async function istiodLog(
  client: KubeClient,
  namespace: string,
  pod: string,
  signal?: AbortSignal,
): Promise<string> {
  const path = `/api/v1/namespaces/${namespace}/pods/${pod}/log`;
  const query = { container: istiodContainer, sinceSeconds: '120' };
  return String(await client.request('GET', path, { query, plain: true, ...(signal && { signal }) }));
}
