import type { MeshModel } from '../charts/model/mesh-model.ts';
import { collectStatus, type MeshStatus } from '../infra/status/mesh-status.ts';
import { probeCrossCluster } from './proofs/cross-cluster.ts';
import type { UpRecord } from './workspace/record.ts';

/** The mesh's state, cross-cluster calls included. */
export function statusOf(record: UpRecord, model: MeshModel, signal: AbortSignal): Promise<MeshStatus> {
  return collectStatus(model, {
    engine: record.engine,
    access: record.access,
    ...(record.unfinishedUp && { unfinishedUp: record.unfinishedUp }),
    probe: (clusters) =>
      probeCrossCluster(
        model,
        Object.fromEntries(Object.entries(clusters).map(([name, { ingress }]) => [name, ingress])),
        signal,
      ),
    signal,
  });
}
