import type { ExistingIstioModel } from '../../charts/model/mesh-model.ts';
import { own } from '../../core/own.ts';
import type { Problem } from '../../core/problem.ts';
import type { KubeClient } from '../kube/kube-client.ts';
import { condition, field, text } from '../kube/kube-object.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import { concurrency } from '../kube/managed.ts';
import { pool } from '../kube/pool.ts';
import { isGateway, listProxies } from '../kube/proxies.ts';
import type { Plan } from '../plan/plan.ts';
import { formatEndpoint } from '../reach/gateway-endpoint.ts';
import { tryPod } from '../reach/gateway-trial.ts';

/** The port by which every proxy tells that it is ready, to whoever asks. */
const statusPort = 15021;

/** A cluster of a network that several are declared to be on, with pods of its Istio. */
interface Member {
  readonly client: KubeClient;
  /** Pods with an address of their own, by that. */
  readonly byAddress: ReadonlyMap<string, KubeObject>;
  /** A ready gateway, from which others are tried. */
  readonly gateway: KubeObject | undefined;
  /** Address of a ready pod that others try: of a gateway where there is one. */
  readonly address: string | undefined;
}

/**
 * What keeps pods of clusters that are declared on one network from each other: addresses that both have, and pods that are not
 * reached. It is tried from pods of gateways, from where connections leave as those of all pods do.
 * @param warn - called for what could not be tried
 */
export async function oneNetworkProblems(
  clients: readonly KubeClient[],
  plan: Plan,
  existing: ExistingIstioModel,
  warn: (line: string) => void,
  signal: AbortSignal | undefined,
): Promise<readonly Problem[]> {
  const networks = Map.groupBy(clients, ({ cluster }) => own(plan.networks, cluster) ?? '');
  const found = await Promise.all(
    [...networks]
      .filter(([, on]) => on.length > 1)
      .map(async ([network, on]) => {
        const members = await Promise.all(on.map((client) => look(client, existing, signal)));
        const pairs = members.flatMap((one, index) =>
          members.slice(index + 1).map((other) => ({ one, other, same: sameAddress(one, other) })),
        );
        const directions = pairs
          .filter(({ same }) => same === undefined)
          .flatMap(({ one, other }) => [
            { from: one, to: other },
            { from: other, to: one },
          ]);
        const tried = await pool(directions, concurrency, ({ from, to }) =>
          tryOne(network, from, to, warn, signal),
        );
        return [
          ...pairs.flatMap(({ one, other, same }) =>
            same === undefined ? [] : [overlapping(network, one, other, same)],
          ),
          ...tried.flat(),
        ];
      }),
  );
  return found.flat();
}

async function look(
  client: KubeClient,
  { ingress }: ExistingIstioModel,
  signal: AbortSignal | undefined,
): Promise<Member> {
  const proxies = (await listProxies(client, signal)).map(({ pod }) => pod);
  // One in its node's network says nothing of that of pods.
  const pods = proxies.filter(
    (pod) => text(pod, 'status', 'podIP') !== undefined && field(pod, 'spec', 'hostNetwork') !== true,
  );
  const ready = pods
    .filter((pod) => text(condition(pod, 'Ready'), 'status') === 'True')
    .toSorted((a, b) => (placeOf(a) < placeOf(b) ? -1 : 1));
  const gateways = ready.filter(isGateway);
  const joined = gateways.filter(({ metadata }) => metadata.namespace === ingress?.namespace);
  const [gateway] = [...joined, ...gateways];
  return {
    client,
    byAddress: new Map(pods.map((pod) => [text(pod, 'status', 'podIP') ?? '', pod])),
    gateway,
    address: text(gateway ?? ready[0], 'status', 'podIP'),
  };
}

function placeOf({ metadata: { namespace = '', name } }: KubeObject): string {
  return `${namespace}/${name}`;
}

function sameAddress(one: Member, other: Member): string | undefined {
  return [...one.byAddress.keys()].find((address) => other.byAddress.has(address));
}

const apart =
  'have the owners of Istio give the clusters networks of their own (topology.istio.io/network), with east-west gateways between them, and declare these';

function overlapping(network: string, one: Member, other: Member, address: string): Problem {
  const has = ({ client, byAddress }: Member) => {
    const pod = byAddress.get(address);
    return `${pod === undefined ? '' : placeOf(pod)} in ${client.cluster}`;
  };
  return {
    where: `${one.client.cluster} and ${other.client.cluster}, both on network ${network}: pods`,
    what: 'pods of both have the same address: calls from one cluster to the other would get to pods of their own',
    received: `${address} of ${has(one)} and ${has(other)}`,
    fix: `give their pods addresses that no other cluster has, or ${apart}`,
  };
}

async function tryOne(
  network: string,
  { client, gateway }: Member,
  to: Member,
  warn: (line: string) => void,
  signal: AbortSignal | undefined,
): Promise<readonly Problem[]> {
  const [from, other] = [client.cluster, to.client.cluster];
  const untried = (because: string) => {
    warn(`cluster ${from}: whether pods of ${other} are reached was not tried: ${because}`);
    return [];
  };
  if (gateway === undefined) return untried('it has no ready gateway of Istio to try it from');
  if (to.address === undefined) return untried(`${other} has no ready pod with a proxy`);
  const { namespace = '', name } = gateway.metadata;
  const received = formatEndpoint({ host: to.address, port: statusPort });
  const failure = await tryPod(client, { namespace, pod: name, name: 'istio-proxy' }, received, signal);
  if (failure === undefined) return [];
  if (failure.kind === 'untried') return untried(failure.because);
  return [
    {
      where: `from ${from} to ${other}, both on network ${network}: pods`,
      what: `not reached from inside ${from}: ${failure.because}`,
      received,
      fix: `let pods of the two clusters connect to each other by their own addresses (routes, firewalls, network policies), or ${apart}`,
    },
  ];
}
