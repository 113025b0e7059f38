import type { Problem } from '../../../core/problem.ts';
import { bySelector, servicesOf } from './shared-pods.ts';
import { podsOf, selects, type Pods } from '../pods.ts';
import { field, list, mapping, ofKind, text, texts, title } from '../../model/rendered.ts';
import { rootNamespace } from '../declared/own.ts';
import type { RenderedCluster, RenderedMesh, RenderedObject } from '../../model/rendered.ts';

/** What of a rule asks for HTTP (https://istio.io/latest/docs/reference/config/security/authorization-policy/). */
const ofOperation = ['hosts', 'notHosts', 'methods', 'notMethods', 'paths', 'notPaths'];
const ofSource = ['requestPrincipals', 'notRequestPrincipals'];

/** Protocols in which a proxy sees no requests. */
const opaque = ['tcp', 'tls', 'https', 'mongo', 'mysql', 'redis'];

/**
 * An AuthorizationPolicy of a port over TCP has to leave out what only HTTP has. Istio drops an ALLOW rule that has it, so that whom it names is
 * denied, and takes it out of a DENY rule, which then denies more than it says
 * (https://istio.io/latest/docs/tasks/security/authorization/authz-tcp/).
 */
export function tcpPolicies({ clusters }: RenderedMesh): readonly Problem[] {
  return clusters.flatMap((cluster) => {
    const pods = served(cluster);
    if (!pods.some(({ ports }) => ports.some(({ tcp }) => tcp))) return [];
    return ofKind(cluster, 'AuthorizationPolicy').flatMap((policy) => {
      const asked = list(policy.object, 'spec', 'rules').map((rule, index) => ({
        ...{ rule, http: askedOfHttp(rule, `spec.rules[${index}]`) },
      }));
      if (asked.every(({ http }) => http.length === 0)) return [];
      const selector = mapping(policy.object, 'spec', 'selector', 'matchLabels');
      const { namespace } = policy.object.metadata;
      const ports = pods
        .filter((one) => [one.namespace, rootNamespace].includes(namespace ?? ''))
        .filter(({ labels }) => selects(selector, labels))
        .flatMap((one) => one.ports);
      const others = new Set(ports.flatMap(({ number, tcp }) => (tcp ? [] : [number])));
      const all = [...new Set(ports.map(({ number }) => number))];
      return asked.flatMap(({ rule, http }) => ruleProblems(policy, rule, http, all, others));
    });
  });
}

interface Served extends Pods {
  readonly ports: readonly Port[];
}

/** Pods behind Services. Which protocols a gateway's ports speak, its Gateways say: it may end the TLS of clients. */
function served(cluster: RenderedCluster): readonly Served[] {
  const services = bySelector(cluster);
  const gateways = ofKind(cluster, 'Gateway').map(({ object }) => mapping(object, 'spec', 'selector'));
  return podsOf(cluster)
    .filter(({ labels }) => !gateways.some((one) => selects(one, labels)))
    .map((pods) => ({ ...pods, ports: portsOf(servicesOf(services, pods), pods) }))
    .filter(({ ports }) => ports.length > 0);
}

interface Port {
  /** Of the container. */
  readonly number: string;
  readonly tcp: boolean;
}

/** The ports of pods that Services lead to. */
function portsOf(services: readonly RenderedObject[], { containers }: Pods): readonly Port[] {
  const named = new Map(
    containers.flatMap((container) =>
      list(container, 'ports').map((port) => [text(port, 'name'), field(port, 'containerPort')] as const),
    ),
  );
  return services.flatMap(({ object }) =>
    list(object, 'spec', 'ports').map((port) => {
      const target = field(port, 'targetPort') ?? field(port, 'port');
      const number = typeof target === 'string' ? named.get(target) : target;
      return { number: String(number), tcp: isTcp(port) };
    }),
  );
}

function isTcp(port: unknown): boolean {
  const stated = (text(port, 'appProtocol') ?? text(port, 'name') ?? '').toLowerCase();
  return opaque.includes(stated.split('-')[0] ?? '');
}

/**
 * @param all - ports of the pods that a policy is about
 * @param others - those of them that speak HTTP
 */
function ruleProblems(
  { where, object }: RenderedObject,
  rule: unknown,
  http: readonly Asked[],
  all: readonly string[],
  others: ReadonlySet<string>,
): readonly Problem[] {
  const asked = list(rule, 'to').flatMap((entry) => texts(entry, 'operation', 'ports'));
  const over = (asked.length === 0 ? all : asked).filter((port) => all.includes(port) && !others.has(port));
  const allows = (text(object, 'spec', 'action') ?? 'ALLOW') === 'ALLOW';
  // Of all ports, HTTP among them: there a rule that allows means what it says, and allows nothing elsewhere. One that denies, denies more there.
  if (over.length === 0 || (allows && asked.length === 0 && over.length < all.length)) return [];
  const becomes = allows
    ? 'ignores the whole rule, so that whom it names is denied'
    : 'leaves that out, so that the rule is about more than it says';
  return http.map(({ path, received }) => ({
    where,
    what: `${title(object)}: ${path} is about HTTP, and port ${over.join(', ')} of its pods speaks TCP, where Istio ${becomes}`,
    received,
    fix: 'remove it',
  }));
}

interface Asked {
  readonly path: string;
  readonly received: unknown;
}

function askedOfHttp(rule: unknown, at: string): readonly Asked[] {
  const parts = [
    ...list(rule, 'to').flatMap((entry, part) =>
      ofOperation.map(
        (key) => [`${at}.to[${part}].operation.${key}`, field(entry, 'operation', key)] as const,
      ),
    ),
    ...list(rule, 'from').flatMap((entry, part) =>
      ofSource.map((key) => [`${at}.from[${part}].source.${key}`, field(entry, 'source', key)] as const),
    ),
    ...list(rule, 'when').flatMap((condition, part) => {
      const key = text(condition, 'key') ?? '';
      return key.startsWith('request.') ? [[`${at}.when[${part}].key`, key] as const] : [];
    }),
  ];
  return parts.flatMap(([path, received]) => (received === undefined ? [] : [{ path, received }]));
}
