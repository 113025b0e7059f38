import type { MeshModel } from '../../charts/model/mesh-model.ts';
import { localReads, orders } from './calls.ts';
import { failover } from './failover.ts';
import { outsiders } from './outsider.ts';
import type { Proof } from './proof.ts';

/**
 * What `up` proves by real calls, in order.
 * @param options.failover - also take the catalog away from a cluster for a moment: not in clusters that others use
 */
export function proofsOf(model: MeshModel, options: { readonly failover: boolean }): readonly Proof[] {
  return [
    ...localReads(model),
    ...orders(model),
    ...outsiders(model),
    ...(options.failover ? failover(model) : []),
  ];
}
