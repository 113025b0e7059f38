import type { MeshModel } from '../../charts/model/mesh-model.ts';
import type { CrossCluster } from '../../infra/status/mesh-status.ts';
import { edgeClusters, readsOf } from './edges.ts';
import { call } from './http.ts';
import { notFrom } from './reads.ts';

/**
 * Reads through every cluster's ingress something that only other clusters run.
 * @returns ok when each of these reads was answered by another cluster; null where the mesh declares none
 */
export async function probeCrossCluster(
  model: MeshModel,
  ingress: Readonly<Record<string, string | null>>,
  signal?: AbortSignal,
): Promise<CrossCluster> {
  const reads = model.clusters.flatMap(({ name }) =>
    readsOf(model).flatMap((read) => {
      const from = edgeClusters(read.edge, name);
      return from.some((cluster) => read.callee.answersFrom.includes(cluster)) ? [] : [{ name, read }];
    }),
  );
  const answers = await Promise.all(
    reads.map(async ({ name, read: { callee, read } }) => {
      const base = ingress[name];
      if (base === null || base === undefined) return false;
      return notFrom(await call(base, read, signal), callee.answersFrom) === undefined;
    }),
  );
  return { ok: answers.length === 0 ? null : answers.every(Boolean), checked: new Date().toISOString() };
}
