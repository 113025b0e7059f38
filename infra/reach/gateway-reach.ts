import type { GatewayModel } from '../../charts/model/mesh-model.ts';
import { own } from '../../core/own.ts';
import { ProblemsError } from '../../core/problem.ts';
import type { Problem } from '../../core/problem.ts';
import { waitFor } from '../../core/wait.ts';
import { allOrProblems } from '../../core/all-or-problems.ts';
import { formatEndpoint, gatewayEndpoints } from './gateway-endpoint.ts';
import type { Endpoint } from './gateway-endpoint.ts';
import { explain, tryGateway } from './gateway-trial.ts';
import type { Failure } from './gateway-trial.ts';
import type { KubeClient } from '../kube/kube-client.ts';
import type { Container } from '../kube/pod-exec.ts';
import { condition, field, text } from '../kube/kube-object.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import type { Limits } from '../plan/limits.ts';

export interface ReachOptions {
  readonly gateway: GatewayModel;
  /** The cluster from which the gateways are tried. */
  readonly from: KubeClient;
  /** The clusters whose gateways have to be reached. */
  readonly others: readonly KubeClient[];
  readonly report: (line: string) => void;
  readonly limits: Pick<Limits, 'declaredGateway' | 'loadBalancer'>;
  readonly signal?: AbortSignal;
}

const intervalMs = 1_000;

/**
 * Waits until every address of the east-west gateways of all other clusters can be reached from inside a cluster: from a
 * pod of its own east-west gateway, whose connections leave the cluster the same way as those of all proxies.
 * @throws ProblemsError (exit 1) with every address that cannot be reached: from where, how it failed, and what to do.
 */
export async function awaitGateways(options: ReachOptions): Promise<void> {
  const { gateway, others, signal } = options;
  const addresses = await Promise.all(
    others.map(async (to) => {
      const endpoints = gatewayEndpoints(gateway, to.cluster, await serviceOf(to, gateway, signal));
      return { to, endpoints };
    }),
  );
  await allOrProblems(
    addresses.flatMap(({ to, endpoints }) =>
      endpoints.length === 0
        ? [Promise.reject(withoutAddress(options, to))]
        : endpoints.map((endpoint) => awaitOne(options, to, endpoint)),
    ),
  );
}

async function awaitOne(options: ReachOptions, to: KubeClient, endpoint: Endpoint): Promise<void> {
  const { gateway, from, report, limits, signal } = options;
  const address = formatEndpoint(endpoint);
  const declared = own(gateway.given, to.cluster) !== undefined;
  const timeoutMs = declared ? limits.declaredGateway : limits.loadBalancer;
  const what = `${from.cluster}: east-west gateway of ${to.cluster} at ${address} reached`;
  const started = Date.now();
  let looks = 0;
  const wait = { what, timeoutMs, intervalMs, ...(signal && { signal }) };
  const problem = await waitFor<Problem | undefined>(wait, async () => {
    const pod = await readyPod(from, gateway, signal);
    const seen: Failure | undefined =
      pod === undefined
        ? { kind: 'untried', because: 'its own east-west gateway has no ready pod to try it from' }
        : await tryGateway(from, proxyOf(pod), address, signal);
    if (seen === undefined) return { done: true, value: undefined };
    // Report the time-out here, with a better explanation than waitFor has.
    if (Date.now() - started >= timeoutMs) {
      const place = { gateway, from: from.cluster, to: to.cluster, address, declared };
      return { done: true, value: explain(seen, { ...place, seconds: Math.round(timeoutMs / 1000) }) };
    }
    if (++looks === 1) report(`${what}: waiting, ${seen.because}`);
    return { done: false, because: seen.because };
  });
  if (problem !== undefined) throw new ProblemsError([problem], 1);
}

function withoutAddress({ from, gateway }: ReachOptions, to: KubeClient): ProblemsError {
  const service = `Service ${gateway.namespace}/${gateway.name}`;
  return new ProblemsError(
    [
      {
        where: `from ${from.cluster} to ${to.cluster}: east-west gateway`,
        what: `has no address: the status of ${to.cluster}'s ${service} contains none`,
        fix: 'check the events of that Service for what its load balancer waits for, then run the command again',
      },
    ],
    1,
  );
}

function serviceOf(
  client: KubeClient,
  { namespace, name }: GatewayModel,
  signal: AbortSignal | undefined,
): Promise<KubeObject | undefined> {
  return client.get({ apiVersion: 'v1', kind: 'Service', metadata: { namespace, name } }, signal);
}

/** The container of a gateway's pod in which addresses are tried. */
export function proxyOf({ metadata: { name, namespace = '' } }: KubeObject): Container {
  return { namespace, pod: name, name: 'istio-proxy' };
}

/** A ready pod of the gateway. Looked up for each try, because the gateway may be rolled out meanwhile. */
export async function readyPod(
  client: KubeClient,
  gateway: GatewayModel,
  signal: AbortSignal | undefined,
): Promise<KubeObject | undefined> {
  const type = await client.typeOf('v1', 'Pod', signal);
  const selector = field(await serviceOf(client, gateway, signal), 'spec', 'selector');
  if (type === undefined || selector === undefined) return undefined;
  const labelSelector = Object.entries(selector as Readonly<Record<string, string>>)
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
  const pods = await client.list(type, {
    namespace: gateway.namespace,
    labelSelector,
    ...(signal && { signal }),
  });
  return pods
    .filter((pod) => field(pod, 'metadata', 'deletionTimestamp') === undefined)
    .filter((pod) => text(condition(pod, 'Ready'), 'status') === 'True')
    .toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))[0];
}
