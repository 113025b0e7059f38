import type { MeshModel } from '../../charts/model/mesh-model.ts';
import { localReads, orders } from './calls.ts';
import { failover } from './failover.ts';
import { outsiders } from './outsider.ts';
import type { Proof } from './proof.ts';

/** What `up` proves by real calls. */
export function proofsOf(model: MeshModel): readonly Proof[] {
  return [...localReads(model), ...orders(model), ...outsiders(model), ...failover(model)];
}
