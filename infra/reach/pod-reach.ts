import type { GatewayModel } from '../../charts/model/mesh-model.ts';
import { allOrProblems } from '../../core/all-or-problems.ts';
import { ProblemsError } from '../../core/problem.ts';
import type { Problem } from '../../core/problem.ts';
import { waitFor } from '../../core/wait.ts';
import type { KubeClient } from '../kube/kube-client.ts';
import { text } from '../kube/kube-object.ts';
import type { Limits } from '../plan/limits.ts';
import { formatEndpoint } from './gateway-endpoint.ts';
import { proxyOf, readyPod } from './gateway-reach.ts';
import { tryPod } from './gateway-trial.ts';
import type { Failure } from './gateway-trial.ts';
import { refuseSameAddresses } from './pod-addresses.ts';

export interface PodReachOptions {
  /** The network that all of these clusters are declared to be on. */
  readonly network: string;
  /** A gateway that each of them has, from whose pod the others' are tried. */
  readonly gateway: GatewayModel;
  /** The cluster from which the pods are tried. */
  readonly from: KubeClient;
  /** The other clusters of its network. */
  readonly others: readonly KubeClient[];
  readonly report: (line: string) => void;
  readonly limits: Pick<Limits, 'declaredGateway'>;
  readonly signal?: AbortSignal;
}

const intervalMs = 1_000;

/** The port by which every gateway's proxy tells that it is ready, to whoever asks. */
const statusPort = 15021;

/**
 * Waits until a pod of each other cluster of one network can be reached from inside a cluster: there is no gateway between them, so
 * that pods that do not reach each other would lose calls, and pods of one address would get each other's.
 * @throws ProblemsError (exit 1) with every cluster that cannot be reached: from where, how it failed, and what to do; and with
 * addresses that pods of two clusters have.
 */
export async function awaitPods(options: PodReachOptions): Promise<void> {
  const { network, from, signal } = options;
  await allOrProblems(
    options.others.map(async (to) => {
      // Of two clusters one says it.
      if (from.cluster < to.cluster) await refuseSameAddresses(network, [from, to], signal);
      await awaitOne(options, to);
    }),
  );
}

async function awaitOne(options: PodReachOptions, to: KubeClient): Promise<void> {
  const { network, from, report, limits, signal } = options;
  const timeoutMs = limits.declaredGateway;
  const what = `${from.cluster}: pods of ${to.cluster} reached`;
  const started = Date.now();
  let looks = 0;
  const wait = { what, timeoutMs, intervalMs, ...(signal && { signal }) };
  const problem = await waitFor<Problem | undefined>(wait, async () => {
    const { failure, address } = await look(options, to);
    if (failure === undefined) return { done: true, value: undefined };
    const { kind, because } = failure;
    if (Date.now() - started >= timeoutMs) {
      const fix =
        kind === 'untried'
          ? 'check that the ingress gateways of both have a ready pod, and that you may run commands in it (pods/exec)'
          : `let pods of the two clusters connect to each other by their own addresses (routes, firewalls), or declare networks of other names: between those, calls pass through east-west gateways`;
      return {
        done: true,
        value: {
          where: `from ${from.cluster} to ${to.cluster}, both on network ${network}: pods`,
          what: `not reached from inside ${from.cluster} within ${Math.round(timeoutMs / 1000)} s: ${because}`,
          ...(address === undefined ? {} : { received: address }),
          fix: `${fix}; then run the command again`,
        },
      };
    }
    if (++looks === 1) report(`${what}: waiting, ${because}`);
    return { done: false, because };
  });
  if (problem !== undefined) throw new ProblemsError([problem], 1);
}

async function look(
  { gateway, from, signal }: PodReachOptions,
  to: KubeClient,
): Promise<{ readonly failure: Failure | undefined; readonly address?: string }> {
  const [here, there] = await Promise.all([from, to].map((client) => readyPod(client, gateway, signal)));
  const host = text(there, 'status', 'podIP');
  if (here === undefined || host === undefined) {
    const without = here === undefined ? from.cluster : to.cluster;
    return { failure: { kind: 'untried', because: `the ingress gateway of ${without} has no ready pod` } };
  }
  const address = formatEndpoint({ host, port: statusPort });
  return { failure: await tryPod(from, proxyOf(here), address, signal), address };
}
