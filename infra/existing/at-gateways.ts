import type { ExistingIstioModel } from '../../charts/model/mesh-model.ts';
import type { Problem } from '../../core/problem.ts';
import type { KubeClient } from '../kube/kube-client.ts';
import { describe, field, isManaged, list, text } from '../kube/kube-object.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import { isGateway, isLive } from '../kube/proxies.ts';
import { selects } from '../kube/webhooks.ts';
import type { Plan } from '../plan/plan.ts';
import { gatewaysIn } from './joined-gateways.ts';
import { inQuery, listKind } from './list-kind.ts';

type Labels = Readonly<Record<string, string>>;

/** A host that others serve at the gateways. */
interface Served {
  readonly host: string;
  readonly by: KubeObject;
  /** Whether requests for a more specific host go by this one, as long as nobody serves that. */
  readonly covers: boolean;
}

/**
 * What others have at the gateways that edges join: hosts that an edge would take from them, and policies that decide before an
 * edge does. Gateways of any namespace are looked at, as a selector is for all of them. Reads only.
 * @param warn - called for each host of theirs that covers one of an edge, each policy, and gateways in other namespaces
 */
export async function atGatewaysProblems(
  client: KubeClient,
  plan: Plan,
  { ingress, rootNamespace }: ExistingIstioModel,
  warn: (line: string) => void,
  signal: AbortSignal | undefined,
): Promise<readonly Problem[]> {
  const planned = gatewaysIn(plan, client.cluster);
  if (ingress === undefined || planned.length === 0) return [];
  const { namespace, selector } = ingress;
  const ofNetworking = (kind: string) => listKind(client, ['networking.istio.io/v1', kind], {}, signal);
  const policies = [...new Set([rootNamespace, namespace])].flatMap((within) =>
    ['AuthorizationPolicy', 'RequestAuthentication'].map((kind) =>
      listKind(client, ['security.istio.io/v1', kind], { namespace: within }, signal),
    ),
  );
  const [pods, gateways, routes, ...found] = await Promise.all([
    listKind(client, ['v1', 'Pod'], { labelSelector: inQuery(selector) }, signal),
    ofNetworking('Gateway'),
    ofNetworking('VirtualService'),
    ...policies,
  ]);
  const here = pods.filter(({ metadata }) => metadata.namespace === namespace);
  const elsewhere = pods.filter((pod) => !here.includes(pod) && isGateway(pod) && isLive(pod));
  const labelsOf = ({ metadata }: KubeObject): Labels => metadata.labels ?? {};
  const labels = here.map(labelsOf);
  const all = [...labels, ...elsewhere.map(labelsOf)];
  const others = (object: KubeObject) => !isManaged(object, plan.mesh);
  if (elsewhere.length > 0) warn(`cluster ${client.cluster}: ${alsoSelected(elsewhere, namespace)}`);
  for (const policy of found.flat().filter(others)) {
    const effect = isAbout(policy, labels) ? effectOf(policy) : undefined;
    if (effect !== undefined)
      warn(`cluster ${client.cluster}: ${describe(policy)} of others ${effect}, before edges are asked`);
  }
  const theirs = gateways
    .filter(others)
    .filter((gateway) => selectsOne(field(gateway, 'spec', 'selector'), all));
  const served = [...theirs.flatMap(hostsOfGateway), ...routes.filter(others).flatMap(hostsOfRoute(theirs))];
  return planned.flatMap((gateway) => hostProblems(client.cluster, gateway, served, warn));
}

/** Gateways that get the hosts of edges, and none of their routes, which are exported to the declared ones alone. */
function alsoSelected(pods: readonly KubeObject[], namespace: string): string {
  const names = pods.map(({ metadata }) => `${metadata.namespace ?? ''}/${metadata.name}`).sort();
  const more = names.length > 3 ? ` and ${names.length - 3} more` : '';
  return `the selector of platform.ingress also selects gateways outside of namespace ${namespace}: ${names.slice(0, 3).join(', ')}${more}: they answer requests for hosts of edges with 404 from now on; declare labels that only those of ${namespace} have`;
}

function hostProblems(
  cluster: string,
  edge: KubeObject,
  served: readonly Served[],
  warn: (line: string) => void,
): readonly Problem[] {
  const hosts = [...new Set(hostsOfGateway(edge).map(({ host }) => host))];
  return hosts.flatMap((host) => {
    for (const one of served.filter((each) => each.covers && isWithin(host, each.host)))
      warn(
        `cluster ${cluster}: ${describe(one.by)} of others serves ${one.host}: requests for ${host} go to ${describe(edge)} from now on`,
      );
    const equal = served.filter((each) => each.host === host);
    if (equal.length === 0) return [];
    return [
      {
        where: `${cluster}: ${describe(edge)}`,
        what: `others serve its host ${host} at the gateways that it joins: which of the two gets a request is Istio's choice, by age`,
        received: [...new Set(equal.map(({ by }) => describe(by)))].join(', '),
        fix: 'declare another host in hosts of the edge, or have its owners give that one up',
      },
    ];
  });
}

/** Hosts of a Gateway. With TLS a certificate for several hosts has clients send all of them over one connection. */
function hostsOfGateway(gateway: KubeObject): readonly Served[] {
  return list(gateway, 'spec', 'servers').flatMap((server) =>
    list(server, 'hosts').map((host) => ({
      // `NAMESPACE/HOST` restricts whose routes may be bound to it.
      host: String(host).replace(/^.*\//, '').toLowerCase(),
      by: gateway,
      covers: field(server, 'tls') !== undefined,
    })),
  );
}

/** Hosts of a VirtualService that is bound to one of the gateways. */
function hostsOfRoute(gateways: readonly KubeObject[]): (route: KubeObject) => readonly Served[] {
  const names = new Set(gateways.map(({ metadata }) => `${metadata.namespace ?? ''}/${metadata.name}`));
  return (route) => {
    const bound = list(route, 'spec', 'gateways').some((name) =>
      names.has(
        String(name).includes('/') ? String(name) : `${route.metadata.namespace ?? ''}/${String(name)}`,
      ),
    );
    if (!bound) return [];
    return list(route, 'spec', 'hosts').map((host) => ({
      ...{ host: String(host).toLowerCase(), by: route, covers: true },
    }));
  };
}

/** Whether a wildcard, `*` or `*.example`, stands for a host, or for a wildcard that is more specific. */
function isWithin(host: string, wildcard: string): boolean {
  return wildcard.startsWith('*') && host !== wildcard && host.endsWith(wildcard.slice(1));
}

function isAbout(policy: KubeObject, pods: readonly Labels[]): boolean {
  // One of a Service or a Gateway of Kubernetes, which `targetRefs` names, is not of these pods.
  if (field(policy, 'spec', 'targetRefs') !== undefined || field(policy, 'spec', 'targetRef') !== undefined)
    return false;
  return selectsOne(field(policy, 'spec', 'selector', 'matchLabels'), pods);
}

/** No labels select every pod. */
function selectsOne(matchLabels: unknown, pods: readonly Labels[]): boolean {
  return pods.some((labels) => selects({ matchLabels: matchLabels ?? {} }, labels));
}

function effectOf(policy: KubeObject): string | undefined {
  if (policy.kind === 'RequestAuthentication')
    return 'refuses requests with tokens that it does not take, and may keep the others';
  switch (text(policy, 'spec', 'action') ?? 'ALLOW') {
    case 'ALLOW':
      return 'refuses requests that no ALLOW policy lets in';
    case 'DENY':
      return 'may refuse requests';
    case 'CUSTOM':
      return 'has an authorizer of others decide requests';
    default:
      return undefined;
  }
}
