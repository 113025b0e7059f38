import { networkLabel } from '../../charts/constructs/scope/names.ts';
import { own } from '../../core/own.ts';
import type { Problem } from '../../core/problem.ts';
import type { KubeClient } from '../kube/kube-client.ts';
import { condition, count, describe, field, list, text } from '../kube/kube-object.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import type { Plan } from '../plan/plan.ts';
import { loadBalancerAddresses } from '../plan/readiness.ts';
import { formatEndpoint } from '../reach/gateway-endpoint.ts';
import { tryGateway } from '../reach/gateway-trial.ts';
import type { FoundIstio } from './found-istio.ts';
import { inQuery, listKind } from './list-kind.ts';

/** Port of gateways between networks (Istio, multi-primary on different networks). */
const eastWestPort = 15443;

/** A gateway by which a cluster's network is reached from the others. */
interface EastWest {
  readonly istio: FoundIstio;
  /** Undefined where the mesh configuration alone names it. */
  readonly service: KubeObject | undefined;
  /** `ADDRESS:PORT` */
  readonly addresses: readonly string[];
  /** Why istiod may know others than {@link addresses}, which only it can tell. */
  readonly unseen: string | undefined;
}

/**
 * What keeps the clusters' networks from each other: one without a gateway, or whose gateway is not reached from the pods of the
 * other's. Nothing where all are in one network.
 */
export async function eastWestProblems(
  istios: readonly FoundIstio[],
  plan: Plan,
  warn: (line: string) => void,
  signal: AbortSignal | undefined,
): Promise<readonly Problem[]> {
  if (new Set(Object.values(plan.networks)).size < 2) return [];
  const found = await Promise.all(istios.map((istio) => findEastWest(istio, plan, signal)));
  const gateways = found.flatMap((each) => ('problem' in each ? [] : [each]));
  const problems = found.flatMap((each) => ('problem' in each ? [each.problem] : []));
  for (const { istio, unseen } of gateways)
    if (unseen !== undefined)
      warn(
        `cluster ${istio.client.cluster}: whether its east-west gateway is reached from others was not tried: ${unseen}`,
      );
  const tried = await Promise.all(
    gateways.map(async (from) => {
      const network = own(plan.networks, from.istio.client.cluster);
      const others = gateways.filter((to) => own(plan.networks, to.istio.client.cluster) !== network);
      return tryAll(from, others, warn, signal);
    }),
  );
  return [...problems, ...tried.flat()];
}

async function findEastWest(
  istio: FoundIstio,
  plan: Plan,
  signal: AbortSignal | undefined,
): Promise<EastWest | { readonly problem: Problem }> {
  const { client } = istio;
  const network = own(plan.networks, client.cluster) ?? '';
  const where = `${client.cluster}: east-west gateway`;
  const services = await listKind(
    client,
    ['v1', 'Service'],
    { labelSelector: `${networkLabel}=${network}` },
    signal,
  );
  const service = services.find((each) =>
    list(each, 'spec', 'ports').some((port) => count(port, 'port') === eastWestPort),
  );
  // The mesh configuration comes first in istiod, too.
  const declared = declaredGateways(istio, network);
  if (declared.addresses.length > 0 || declared.unseen !== undefined) return { istio, service, ...declared };
  const consequence = `calls from other networks would not get into ${network}`;
  if (service === undefined)
    return {
      problem: {
        where,
        what: `no Service with the label ${networkLabel} of its network has port ${eastWestPort}: ${consequence}`,
        received: services.map(describe).join(', ') || 'none',
        allowed: `a Service of an east-west gateway with the label ${networkLabel}=${network} and port ${eastWestPort}`,
        fix: `have the owners of Istio install an east-west gateway in ${client.cluster} and expose services by it (AUTO_PASSTHROUGH)`,
      },
    };
  const external = list(service, 'spec', 'externalIPs').filter((each) => typeof each === 'string');
  const addresses = [...loadBalancerAddresses(service), ...external].map((host) =>
    formatEndpoint({ host, port: eastWestPort }),
  );
  const unseen = byNodes(service) ? `its addresses are those of nodes (${nodeSelector})` : undefined;
  if (addresses.length > 0 || unseen !== undefined) return { istio, service, addresses, unseen };
  return {
    problem: {
      where,
      what: `the status of ${describe(service)} names no address: ${consequence}`,
      fix: 'check the events of that Service for what its load balancer waits for',
    },
  };
}

/** The gateways that the mesh configuration names for a network, by address or by a Service that istiod reads the addresses of. */
function declaredGateways(
  { meshNetworks }: FoundIstio,
  network: string,
): Pick<EastWest, 'addresses' | 'unseen'> {
  const gateways = list(meshNetworks, 'networks', network, 'gateways');
  const addresses = gateways.flatMap((gateway) => {
    const host = text(gateway, 'address');
    return host === undefined ? [] : [formatEndpoint({ host, port: count(gateway, 'port') || eastWestPort })];
  });
  const named = gateways.flatMap((gateway) => text(gateway, 'registryServiceName') ?? []);
  const unseen = named.length === 0 ? undefined : `meshNetworks names it by a service (${named.join(', ')})`;
  return { addresses, unseen };
}

/** Annotation by which istiod takes addresses of nodes for those of a NodePort Service. */
const nodeSelector = 'traffic.istio.io/nodeSelector';

function byNodes(service: KubeObject): boolean {
  return (
    text(service, 'spec', 'type') === 'NodePort' && service.metadata.annotations?.[nodeSelector] !== undefined
  );
}

/** Tries each of others' addresses from a pod of a cluster's own gateway, whose connections leave as those of all proxies do. */
async function tryAll(
  from: EastWest,
  others: readonly EastWest[],
  warn: (line: string) => void,
  signal: AbortSignal | undefined,
): Promise<readonly Problem[]> {
  const { client } = from.istio;
  const pod = from.service === undefined ? undefined : await readyPod(client, from.service, signal);
  if (pod === undefined) {
    warn(
      `cluster ${client.cluster}: its east-west gateway has no ready pod: whether others are reached from there was not tried`,
    );
    return [];
  }
  const { namespace = '', name } = pod.metadata;
  const container = { namespace, pod: name, name: 'istio-proxy' };
  const tries = others.flatMap((to) => to.addresses.map((address) => ({ to, address })));
  const problems = await Promise.all(
    tries.map(async ({ to, address }): Promise<readonly Problem[]> => {
      const failure = await tryGateway(client, container, address, signal);
      if (failure === undefined) return [];
      const other = to.istio.client.cluster;
      if (failure.kind === 'untried') {
        warn(
          `cluster ${client.cluster}: whether the east-west gateway of ${other} is reached was not tried: ${failure.because}`,
        );
        return [];
      }
      return [
        {
          where: `from ${client.cluster} to ${other}: east-west gateway`,
          what: `not reached from inside ${client.cluster}: ${failure.because}`,
          received: address,
          fix: `let the pods of ${client.cluster} connect to ${address} over TCP, or have the owners of that gateway correct its address`,
        },
      ];
    }),
  );
  return problems.flat();
}

async function readyPod(
  client: KubeClient,
  service: KubeObject,
  signal: AbortSignal | undefined,
): Promise<KubeObject | undefined> {
  const selector = (field(service, 'spec', 'selector') ?? {}) as Readonly<Record<string, string>>;
  const { namespace = '' } = service.metadata;
  const pods = await listKind(client, ['v1', 'Pod'], { namespace, labelSelector: inQuery(selector) }, signal);
  return pods.find(
    (pod) =>
      field(pod, 'metadata', 'deletionTimestamp') === undefined &&
      text(condition(pod, 'Ready'), 'status') === 'True',
  );
}
