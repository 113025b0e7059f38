import type { Problem } from '../../core/problem.ts';
import { envOf, podsOf, selects } from './pods.ts';
import type { Pods } from './pods.ts';
import { field, list, mapping, ofKind, text, texts, title } from '../model/rendered.ts';
import type { RenderedCluster, RenderedMesh, RenderedObject } from '../model/rendered.ts';

/** Istio's root namespace: what is there holds for every pod. */
const rootNamespace = 'istio-system';

/**
 * What a claim of a token becomes at one gateway must not come in from a client at another: a service cannot tell which of
 * them wrote the header. A gateway takes the header away where a RequestAuthentication of its pods writes it; elsewhere the
 * routes have to, and the gateway app has to refuse it as metadata.
 */
export function claimedHeaders({ clusters }: RenderedMesh): readonly Problem[] {
  const unread = clusters.flatMap(unreadClaims);
  const claims = new Map<string, RenderedObject>();
  for (const authentication of clusters.flatMap(ofGateways)) {
    for (const header of headersOf(authentication)) {
      if (!claims.has(header)) claims.set(header, authentication);
    }
  }
  if (claims.size === 0) return unread;
  return [
    ...unread,
    ...clusters.flatMap((cluster) => [...routeProblems(cluster, claims), ...appProblems(cluster, claims)]),
  ];
}

/** Routes by a claim (`@request.auth.claims`) where no RequestAuthentication reads tokens: they match no call. */
function unreadClaims(cluster: RenderedCluster): readonly Problem[] {
  const authentications = ofKind(cluster, 'RequestAuthentication');
  const gateways = gatewaysOf(cluster);
  return ofKind(cluster, 'VirtualService').flatMap(({ where, object }) => {
    const names = texts(object, 'spec', 'gateways').map((entry) => qualifiedGateway(object, entry));
    const reads = names.some((name) =>
      gateways.get(name)?.some((pods) => authentications.some((one) => holdsFor(one, pods))),
    );
    if (reads) return [];
    return list(object, 'spec', 'http').flatMap((route, index) =>
      list(route, 'match').flatMap((match, part) =>
        ['headers', 'withoutHeaders']
          .flatMap((key) => Object.keys(field(match, key) ?? {}))
          .filter((header) => header.startsWith('@request.auth.claims'))
          .map((received) => ({
            where,
            what: `${title(object)}: spec.http.${index}.match.${part} matches a claim, but no RequestAuthentication applies to its gateways' pods`,
            received,
            fix: 'add one, or route by something else',
          })),
      ),
    );
  });
}

type Claims = ReadonlyMap<string, RenderedObject>;

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
function isInjectedGateway({ of }: Pods): boolean {
  const annotations = mapping(of.object, 'spec', 'template', 'metadata', 'annotations');
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
        const removes = list(object, 'spec', 'http').every((route) =>
          texts(route, 'headers', 'request', 'remove').some((removed) => removed.toLowerCase() === header),
        );
        if (removes && routes.length === 0) return [];
        return [
          {
            where,
            what: `${title(object)} lets clients of Gateway ${name} set the header ${header}, which ${vouchedBy(claims, header)}`,
            fix: `remove it in every HTTP route (headers.request.remove), or have a RequestAuthentication of the gateway's pods set it`,
          },
        ];
      });
    }),
  );
}

/** The pods of each Gateway of a cluster, by `namespace/name`. */
function gatewaysOf(cluster: RenderedCluster): ReadonlyMap<string, readonly Pods[]> {
  const pods = podsOf(cluster);
  return new Map(
    ofKind(cluster, 'Gateway').map(({ object }) => [
      `${object.metadata.namespace ?? ''}/${object.metadata.name}`,
      pods.filter(({ labels }) => selects(mapping(object, 'spec', 'selector'), labels)),
    ]),
  );
}

/** How a VirtualService calls a Gateway, in full. */
function qualifiedGateway({ metadata }: RenderedObject['object'], entry: string): string {
  return entry.includes('/') ? entry : `${metadata.namespace ?? ''}/${entry}`;
}

/** Whether a RequestAuthentication that holds for the pods writes the header, and so takes away what a client sent. */
function takenAway(cluster: RenderedCluster, pods: Pods, header: string): boolean {
  return ofKind(cluster, 'RequestAuthentication').some(
    (authentication) => holdsFor(authentication, pods) && headersOf(authentication).includes(header),
  );
}

/** Whether a RequestAuthentication is for these pods, by their labels. */
function holdsFor({ object }: RenderedObject, pods: Pods): boolean {
  const { namespace } = object.metadata;
  if (namespace !== pods.namespace && namespace !== rootNamespace) return false;
  if (list(object, 'spec', 'targetRefs').length > 0) return false;
  return selects(mapping(object, 'spec', 'selector', 'matchLabels'), pods.labels);
}

/** Containers of the gateway app that take such a header as metadata of a client. */
function appProblems(cluster: RenderedCluster, claims: Claims): readonly Problem[] {
  return podsOf(cluster).flatMap((pods) => {
    const variables = envOf(pods);
    const gateways = variables.filter(({ name }) => name === 'UPSTREAMS');
    return gateways.flatMap(({ container }) => {
      const closed = variables
        .filter(
          (one) => one.container === container && ['CLAIM_HEADERS', 'REFUSED_METADATA'].includes(one.name),
        )
        .flatMap(({ value }) => value.split(','));
      return [...claims.keys()]
        .filter((header) => !closed.includes(header))
        .map((header) => ({
          where: pods.of.where,
          what: `${title(pods.of.object)}: clients of container ${container} may set ${header}, which ${vouchedBy(claims, header)}`,
          fix: 'pass the claim on with `jwt.claims` of an HttpEdge, which removes the header everywhere else',
        }));
    });
  });
}

function vouchedBy(claims: Claims, header: string): string {
  const authentication = claims.get(header);
  return `carries a claim that is set by ${authentication === undefined ? 'another gateway' : title(authentication.object)}`;
}
