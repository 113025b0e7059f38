import type { Problem } from '../../core/problem.ts';
import { destinationsOf, qualified } from './hosts.ts';
import { envOf, podsOf, selects } from './pods.ts';
import type { Pods } from './pods.ts';
import { gatewaysOf, holdsFor, qualifiedGateway } from './token-readers.ts';
import { isJoined, list, mapping, ofKind, text, texts, title } from '../model/rendered.ts';
import type { OthersIstio, RenderedCluster, RenderedMesh, RenderedObject } from '../model/rendered.ts';

/**
 * What a claim of a token becomes at one gateway must not come in from a client at another: a service cannot tell which of
 * them wrote the header. A gateway takes the header away where a RequestAuthentication of its pods writes it; elsewhere the
 * routes have to, and the gateway app has to refuse it as metadata. At gateways of others nothing of the mesh takes it away: there
 * a RequestAuthentication of the pods behind them has to, or they refuse it.
 */
export function claimedHeaders({ clusters, istio }: RenderedMesh): readonly Problem[] {
  const apps = clusters.flatMap((cluster) => podsOf(cluster).flatMap((pods) => gatewayApps(cluster, pods)));
  const claims = claimsOf(clusters, apps);
  if (claims.size === 0) return [];
  return [
    ...clusters.flatMap((cluster) => [
      ...routeProblems(cluster, claims),
      ...joinedProblems(cluster, istio, clusters, apps, claims),
    ]),
    ...appProblems(apps, claims),
  ];
}

/** The headers that stand for claims, each with what says so. */
function claimsOf(clusters: readonly RenderedCluster[], apps: readonly GatewayApp[]): Claims {
  const claims = new Map<string, string>();
  const add = (header: string, saidBy: string) => {
    if (!claims.has(header)) claims.set(header, saidBy);
  };
  for (const authentication of clusters.flatMap(ofGateways))
    for (const header of headersOf(authentication)) add(header, setBy(authentication));
  for (const { cluster, pods, passed } of apps)
    for (const header of passed) {
      const authentication = writerOf(cluster, pods, header);
      add(
        header,
        authentication === undefined
          ? `${title(pods.of.object)} passes on as a claim that no RequestAuthentication sets`
          : setBy(authentication),
      );
    }
  return claims;
}

function setBy({ object }: RenderedObject): string {
  return `carries a claim that is set by ${title(object)}`;
}

/** A container of the gateway app. */
interface GatewayApp {
  readonly cluster: RenderedCluster;
  readonly pods: Pods;
  readonly container: string;
  /** Headers that it passes on as claims, which somebody before it has to take away from clients. */
  readonly passed: readonly string[];
  /** Headers that it takes from nobody. */
  readonly refused: readonly string[];
}

function gatewayApps(cluster: RenderedCluster, pods: Pods): readonly GatewayApp[] {
  const variables = envOf(pods);
  return variables
    .filter(({ name }) => name === 'UPSTREAMS')
    .map(({ container }) => {
      const namesIn = (variable: string) =>
        variables
          .filter((one) => one.container === container && one.name === variable)
          .flatMap(({ value }) => value.split(','));
      return {
        ...{ cluster, pods, container },
        ...{ passed: namesIn('CLAIM_HEADERS'), refused: namesIn('REFUSED_METADATA') },
      };
    });
}

/** By header what makes it a claim, as a clause: `carries a claim that is set by RequestAuthentication shop/tokens`. */
type Claims = ReadonlyMap<string, string>;

/** The RequestAuthentications that hold for pods of gateways. What a sidecar writes, it takes away from clients itself. */
function ofGateways(cluster: RenderedCluster): readonly RenderedObject[] {
  const selectors = ofKind(cluster, 'Gateway').map(({ object }) => mapping(object, 'spec', 'selector'));
  const pods = podsOf(cluster).filter(
    (found) => isInjectedGateway(found) || selectors.some((selector) => selects(selector, found.labels)),
  );
  return ofKind(cluster, 'RequestAuthentication').filter(
    (authentication) =>
      // By reference it names what it is for: a gateway of the Gateway API.
      list(authentication.object, 'spec', 'targetRefs').length > 0 ||
      pods.some((each) => holdsFor(authentication, each)),
  );
}

/** Whether Istio makes the pods gateways, which a Gateway that somebody else declares may select. */
function isInjectedGateway({ pod }: Pods): boolean {
  const annotations = mapping(pod, 'metadata', 'annotations');
  return (
    annotations['inject.istio.io/templates']?.split(',').some((name) => name.trim() === 'gateway') ?? false
  );
}

/** The headers that claims of its tokens become. */
function headersOf({ object }: RenderedObject): readonly string[] {
  return list(object, 'spec', 'jwtRules').flatMap((rule) => [
    ...list(rule, 'outputClaimToHeaders').map((entry) => (text(entry, 'header') ?? '').toLowerCase()),
    ...[text(rule, 'outputPayloadToHeader')].flatMap((header) => header?.toLowerCase() ?? []),
  ]);
}

/** Routes from gateways whose pods let such a header in from outside. */
function routeProblems(cluster: RenderedCluster, claims: Claims): readonly Problem[] {
  const gateways = gatewaysOf(cluster);
  return ofKind(cluster, 'VirtualService').flatMap(({ where, object }) =>
    texts(object, 'spec', 'gateways').flatMap((entry): readonly Problem[] => {
      if (entry === 'mesh') return [];
      const name = qualifiedGateway(object, entry);
      const open = [...claims.keys()].filter((header) =>
        gateways.get(name)?.some((found) => !takenAway(cluster, found, header)),
      );
      return open.flatMap((header): readonly Problem[] => {
        const routes = [...list(object, 'spec', 'tls'), ...list(object, 'spec', 'tcp')];
        const isRemoved = list(object, 'spec', 'http').every((route) => removes(route, header));
        if (isRemoved && routes.length === 0) return [];
        return [
          {
            where,
            what: `${title(object)} lets clients of Gateway ${name} set the header ${header}, which ${claims.get(header) ?? ''}`,
            fix: `remove it in every HTTP route (headers.request.remove), or have a RequestAuthentication of the gateway's pods set it`,
          },
        ];
      });
    }),
  );
}

/** Routes from gateways of others that edges join, to pods that take such a header from a client. */
function joinedProblems(
  cluster: RenderedCluster,
  istio: OthersIstio | undefined,
  clusters: readonly RenderedCluster[],
  apps: readonly GatewayApp[],
  claims: Claims,
): readonly Problem[] {
  const joined = ofKind(cluster, 'Gateway').filter(({ object }) =>
    isJoined(istio, mapping(object, 'spec', 'selector')),
  );
  const names = new Set(joined.map(({ object }) => qualifiedGateway(object, object.metadata.name)));
  if (names.size === 0) return [];
  /** Whether none of the pods that a host stands for, in any cluster, takes it from a client. */
  const isClosed = (host: string, header: string) => {
    const behind = clusters.flatMap((each) =>
      podsBehind(each, host).map((pods) => ({ cluster: each, pods })),
    );
    return (
      behind.length > 0 &&
      behind.every((one) => {
        const own = apps.filter((app) => app.cluster === one.cluster && app.pods.of === one.pods.of);
        const isRefused = own.length > 0 && own.every(({ refused }) => refused.includes(header));
        return isRefused || takenAway(one.cluster, one.pods, header);
      })
    );
  };
  return ofKind(cluster, 'VirtualService').flatMap(({ where, object }) => {
    const isBound = texts(object, 'spec', 'gateways').some(
      (entry) => entry !== 'mesh' && names.has(qualifiedGateway(object, entry)),
    );
    if (!isBound) return [];
    return [...claims.keys()].flatMap((header): readonly Problem[] => {
      const http = list(object, 'spec', 'http').filter((route) => !removes(route, header));
      const open = destinationsOf({ spec: { ...(object['spec'] as object), http } })
        .map(({ host }) => qualified(host, object.metadata.namespace))
        .filter((host) => !isClosed(host, header));
      if (open.length === 0) return [];
      return [
        {
          where,
          what: `${title(object)} lets clients of gateways of others set the header ${header} at ${[...new Set(open)].join(', ')}, which ${claims.get(header) ?? ''}`,
          fix: 'remove it in every HTTP route (headers.request.remove), or have a RequestAuthentication of the pods behind that host set it',
        },
      ];
    });
  });
}

/** The pods of a cluster that a Service's host stands for. */
function podsBehind(cluster: RenderedCluster, host: string): readonly Pods[] {
  const services = ofKind(cluster, 'Service').filter(
    ({ object }) => qualified(object.metadata.name, object.metadata.namespace) === host,
  );
  return podsOf(cluster).filter((pods) =>
    services.some(
      ({ object }) =>
        object.metadata.namespace === pods.namespace &&
        selects(mapping(object, 'spec', 'selector'), pods.labels),
    ),
  );
}

function removes(route: unknown, header: string): boolean {
  return texts(route, 'headers', 'request', 'remove').some((removed) => removed.toLowerCase() === header);
}

/** Whether a RequestAuthentication that holds for the pods writes the header, and so takes away what a client sent. */
function takenAway(cluster: RenderedCluster, pods: Pods, header: string): boolean {
  return writerOf(cluster, pods, header) !== undefined;
}

function writerOf(cluster: RenderedCluster, pods: Pods, header: string): RenderedObject | undefined {
  return ofKind(cluster, 'RequestAuthentication').find(
    (authentication) => holdsFor(authentication, pods) && headersOf(authentication).includes(header),
  );
}

/** Containers of the gateway app that take such a header as metadata of a client. */
function appProblems(apps: readonly GatewayApp[], claims: Claims): readonly Problem[] {
  return apps.flatMap(({ pods, container, passed, refused }) =>
    [...claims]
      .filter(([header]) => !passed.includes(header) && !refused.includes(header))
      .map(([header, because]) => ({
        where: pods.of.where,
        what: `${title(pods.of.object)}: clients of container ${container} may set ${header}, which ${because}`,
        fix: 'pass the claim on with `jwt.claims` of an HttpEdge, which removes the header everywhere else',
      })),
  );
}
