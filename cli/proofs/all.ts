import type { MeshModel } from '../../charts/model/mesh-model.ts';
import { ProblemsError } from '../../core/problem.ts';
import { connections } from './callers/connections.ts';
import { failover } from './failover.ts';
import { grpcReads } from './grpc-reads.ts';
import { outsiders } from './outsider.ts';
import { probes } from './callers/probes.ts';
import type { Proof } from './proof.ts';
import { edgeReads, webReads } from './reads.ts';
import { requests } from './callers/requests.ts';

/** What `up` proves by real calls, by how often. */
export interface Proofs {
  /** At every `up`. */
  readonly steady: readonly Proof[];
  /** When something that concerns one has changed. */
  readonly kept: readonly Proof[];
}

/** What `up` proves by real calls of what a mesh declares. */
export function proofsOf(model: MeshModel): Proofs {
  return {
    steady: [...edgeReads(model), ...grpcReads(model), ...webReads(model), ...outsiders(model)],
    kept: [...probes(model), ...connections(model), ...requests(model), ...failover(model)],
  };
}

/**
 * @throws ProblemsError (exit 1) for a mesh that declares nothing to call: an `up` that proved nothing must not look like
 * one that proved all
 */
export function refuseNothing({ steady, kept }: Proofs, { name }: MeshModel): void {
  if (steady.length + kept.length > 0) return;
  const what = 'declares no service that has pods, so that no call can prove it';
  const fix = 'declare a GrpcService, an HttpService or a TcpService with replicas';
  throw new ProblemsError([{ where: `mesh ${name}`, what, fix }], 1);
}
