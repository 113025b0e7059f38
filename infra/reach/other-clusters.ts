import { allOrProblems } from '../../core/all-or-problems.ts';
import { own } from '../../core/own.ts';
import type { KubeClient } from '../kube/kube-client.ts';
import type { Plan } from '../plan/plan.ts';
import { awaitGateways, type ReachOptions } from './gateway-reach.ts';
import { awaitPods } from './pod-reach.ts';

/**
 * Awaits that the other clusters of a mesh can be reached from inside one: those on its network by their pods, the others by their
 * east-west gateways. Nothing is tried where the gateways belong to others.
 * @throws ProblemsError (exit 1) with everything that cannot be reached
 */
export async function awaitOthers(
  { networks, eastWest, ingress }: Pick<Plan, 'networks' | 'eastWest' | 'ingress'>,
  from: KubeClient,
  others: readonly KubeClient[],
  options: Pick<ReachOptions, 'report' | 'limits' | 'signal'>,
): Promise<void> {
  const network = own(networks, from.cluster) ?? '';
  const [near, far] = [true, false].map((isNear) =>
    others.filter(({ cluster }) => (own(networks, cluster) === network) === isNear),
  );
  await allOrProblems([
    ...(ingress === undefined || near === undefined
      ? []
      : [awaitPods({ ...options, network, gateway: ingress, from, others: near })]),
    ...(eastWest === undefined || far === undefined
      ? []
      : [awaitGateways({ ...options, gateway: eastWest, from, others: far })]),
  ]);
}
