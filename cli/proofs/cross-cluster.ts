import type { MeshModel } from '../../charts/model/mesh-model.ts';
import type { CrossCluster } from '../../infra/status/mesh-status.ts';
import { call, clusterOf } from './http.ts';
import { shopReads } from './shop.ts';

/**
 * Reads through every cluster's ingress something that only other clusters run.
 * @returns ok when there was such a read and each one was answered by another cluster
 */
export async function probeCrossCluster(
  model: MeshModel,
  ingress: Readonly<Record<string, string | null>>,
  signal?: AbortSignal,
): Promise<CrossCluster> {
  const reads = model.clusters.flatMap(({ name }) =>
    Object.entries(shopReads).flatMap(([workload, request]) => {
      const placement = model.workloads.find((declared) => declared.name === workload)?.placement ?? [];
      return placement.length > 0 && !placement.includes(name) ? [{ name, placement, request }] : [];
    }),
  );
  const answers = await Promise.all(
    reads.map(async ({ name, placement, request }) => {
      const base = ingress[name];
      if (base === null || base === undefined) return false;
      const answer = await call(base, request, signal);
      return answer.status === 200 && placement.includes(clusterOf(answer.servedBy));
    }),
  );
  return { ok: answers.length > 0 && answers.every(Boolean), checked: new Date().toISOString() };
}
