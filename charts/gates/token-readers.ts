import type { Problem } from '../../core/problem.ts';
import { podsOf, selects } from './pods.ts';
import type { Pods } from './pods.ts';
import { isByReference } from './rules/about-pods.ts';
import { field, list, mapping, ofKind, text, texts, title } from '../model/rendered.ts';
import type { RenderedCluster, RenderedMesh, RenderedObject } from '../model/rendered.ts';

/** Istio's root namespace: what is there holds for every pod. */
const rootNamespace = 'istio-system';

/** Routes and policies that ask for what a token says, where no RequestAuthentication reads tokens. */
export function unreadTokens({ clusters }: RenderedMesh): readonly Problem[] {
  return clusters.flatMap((cluster) => [...unreadByRoutes(cluster), ...unreadByPolicies(cluster)]);
}

/** Routes by a claim (`@request.auth.claims`): they match no call. */
function unreadByRoutes(cluster: RenderedCluster): readonly Problem[] {
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

/** Policies whose pods have no token read to them: for those, no request has one, whatever it sends. */
function unreadByPolicies(cluster: RenderedCluster): readonly Problem[] {
  const asking = ofKind(cluster, 'AuthorizationPolicy').filter(
    ({ object }) => asksOf(object).length > 0 && !isByReference(object),
  );
  if (asking.length === 0) return [];
  const [pods, authentications] = [podsOf(cluster), ofKind(cluster, 'RequestAuthentication')];
  return asking.flatMap((policy): readonly Problem[] => {
    const deaf = pods.filter(
      (each) => holdsFor(policy, each) && !authentications.some((one) => holdsFor(one, each)),
    );
    if (deaf.length === 0) return [];
    return [
      {
        where: policy.where,
        what: `${title(policy.object)} asks for tokens, but no RequestAuthentication reads them at ${deaf.map(({ of }) => title(of.object)).join(', ')}: there no request has one`,
        received: asksOf(policy.object),
        fix: 'add one for these pods, or ask for something else',
      },
    ];
  });
}

/** The conditions of a policy on a token, each once. */
function asksOf(policy: RenderedObject['object']): readonly string[] {
  const asks = list(policy, 'spec', 'rules').flatMap((rule) => [
    ...list(rule, 'from').flatMap((entry) =>
      ['requestPrincipals', 'notRequestPrincipals'].filter((key) => list(entry, 'source', key).length > 0),
    ),
    ...list(rule, 'when')
      .map((condition) => text(condition, 'key') ?? '')
      .filter((key) => key.startsWith('request.auth.')),
  ]);
  return [...new Set(asks)];
}

/** The pods of each Gateway of a cluster, by `namespace/name`. */
export function gatewaysOf(cluster: RenderedCluster): ReadonlyMap<string, readonly Pods[]> {
  const pods = podsOf(cluster);
  return new Map(
    ofKind(cluster, 'Gateway').map(({ object }) => [
      qualifiedGateway(object, object.metadata.name),
      pods.filter(({ labels }) => selects(mapping(object, 'spec', 'selector'), labels)),
    ]),
  );
}

/** How an object calls a Gateway, in full: `namespace/name`. */
export function qualifiedGateway({ metadata }: RenderedObject['object'], entry: string): string {
  return entry.includes('/') ? entry : `${metadata.namespace ?? ''}/${entry}`;
}

/** Whether a RequestAuthentication or an AuthorizationPolicy is for these pods, by their labels. */
export function holdsFor({ object }: RenderedObject, pods: Pods): boolean {
  const { namespace } = object.metadata;
  if (namespace !== pods.namespace && namespace !== rootNamespace) return false;
  if (isByReference(object)) return false;
  return selects(mapping(object, 'spec', 'selector', 'matchLabels'), pods.labels);
}
