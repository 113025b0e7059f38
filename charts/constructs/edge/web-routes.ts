import { openApiPaths } from '../../../apps/config/reserved-paths.ts';
import type { Problem } from '../../../core/problem.ts';
import { patternsOf } from '../../../http-rule/pattern.ts';
import type { EdgeModel } from '../../model/mesh-model.ts';
import { istioPaths } from '../http/istio-paths.ts';
import { bySpecificity, isWithin, pathsOverlap, uriMatch } from '../http/route-paths.ts';
import type { Method } from '../scope/method.ts';
import { routeName, type ServiceRoute } from '../scope/service-route.ts';
import type { HttpRoute, NamedRoute } from '../traffic/virtual-service.ts';
import { HttpService } from '../web/http-service.ts';
import type { AtGateway } from '../web/http-traffic.ts';
import { requirementOf, type Jwt } from './jwt.ts';

/** An edge as far as services over plain HTTP go. */
export interface WebEdge {
  /** Unlike every other edge's of the mesh. */
  readonly id: string;
  readonly routes: readonly ServiceRoute[];
  /** Those that its HTTP gateway serves by their google.api.http paths. */
  readonly methods: readonly Method[];
  /** Whether its HTTP gateway serves the pages of OpenAPI, too. */
  readonly openapi: boolean;
  readonly jwt: Jwt<string> | undefined;
}

/** A route, and paths within it that belong to others. */
export interface OpenRoute {
  readonly route: ServiceRoute;
  /** As an AuthorizationPolicy writes them. */
  readonly notPaths: readonly string[];
}

/**
 * The routes of an edge without what others have within them. A path belongs to one of them, whatever the verb: the route and
 * the policy say so in the same words, so that no spelling gets a request to one by what is asked for at another.
 */
export function openRoutes(edge: WebEdge): readonly OpenRoute[] {
  return edge.routes.map((route) => {
    const others = edge.routes.filter(({ service }) => service !== route.service).map(({ path }) => path);
    const within = [...gatewayPaths(edge), ...others].filter((path) => isWithin(path, route.path));
    return { route, notPaths: [...new Set(within)].sort() };
  });
}

/** Paths of its HTTP gateway, as AuthorizationPolicies write them. */
function gatewayPaths({ methods, openapi }: WebEdge): readonly string[] {
  if (methods.length === 0) return [];
  const patterns = methods.flatMap(({ descriptor }) => patternsOf(descriptor)).flatMap(istioPaths);
  return [...new Set([...patterns, ...(openapi ? openApiPaths : [])])].sort();
}

/**
 * Routes of an edge that exposes services over plain HTTP: first the paths of its HTTP gateway, which lie within theirs or apart
 * ({@link webProblems}), then those to the services themselves, the longest match first. What has no route, no policy allows.
 * @param toGateway - what leads to the HTTP gateway
 */
export function webRoutes(
  edge: WebEdge,
  toGateway: HttpRoute,
  { removed, more }: Pick<AtGateway, 'removed' | 'more'>,
): readonly NamedRoute[] {
  if (edge.routes.length === 0) return [];
  const own = gatewayPaths(edge).map((path) => ({ uri: uriMatch(path) }));
  const paths = new Map(edge.routes.map(({ path, service }) => [path, service]));
  const led = [...paths]
    .toSorted(([a], [b]) => bySpecificity(a, b))
    .flatMap(([path, service]) => {
      const name = `${edge.id} ${service.name}.${service.namespace.name}`;
      return service instanceof HttpService ? service.routesAt(path, { name, removed, more }) : [];
    });
  return [...(own.length === 0 ? [] : [{ name: edge.id, match: own, ...toGateway }]), ...led];
}

/** An edge that lets browsers' preflights in without a token, and its routes. */
export interface Preflighted {
  readonly where: string;
  readonly routes: readonly ServiceRoute[];
}

/** What is wrong with the routes of an edge whose other settings are right. */
export function webProblems(
  where: string,
  edge: WebEdge,
  { preflighted, isJoined }: { readonly preflighted: readonly Preflighted[]; readonly isJoined: boolean },
): readonly Problem[] {
  if (edge.routes.length === 0) return [];
  const at = `${where}: expose`;
  if (isJoined) {
    const what =
      'has routes of a service over plain HTTP, at gateways that belong to others: nothing there is ours, so that tokens and limits ' +
      "could be held by no proxy but the service's own, for callers in the mesh, too";
    const fix = "remove them, or leave ingress out of the platform for gateways of the mesh's own";
    return [{ where: at, what, received: edge.routes, fix }];
  }
  const pages: readonly Problem[] =
    edge.openapi && edge.methods.length === 0
      ? [
          {
            where: `${where}: openapi`,
            what: 'wants pages about methods, and the edge serves none by a path',
            fix: 'remove it; a service of its own that has such pages exposes them by routes',
          },
        ]
      : [];
  const ofRoutes = edge.routes.flatMap((route, index) => [
    ...gatewayConflicts(at, edge, route),
    ...edge.routes.slice(0, index).flatMap((other) => routeConflicts(at, edge, route, other)),
    ...optionsProblems(where, edge, route, preflighted),
  ]);
  return [...pages, ...ofRoutes];
}

function gatewayConflicts(where: string, edge: WebEdge, route: ServiceRoute): readonly Problem[] {
  const rivals = gatewayPaths(edge).filter(
    (path) => pathsOverlap(path, route.path) && !isWithin(path, route.path),
  );
  if (rivals.length === 0) return [];
  const what = `has paths that the HTTP gateway serves, too: ${rivals.join(', ')}`;
  const fix = 'give it others, a beginning such as /* that has them within, or an edge of its own';
  return [{ where, what, received: routeName(route), fix }];
}

function routeConflicts(
  where: string,
  { jwt }: WebEdge,
  route: ServiceRoute,
  other: ServiceRoute,
): readonly Problem[] {
  // Many servers answer for a path and for the same with a slash at its end alike.
  const isNear =
    slashed(route.path).some((path) => pathsOverlap(path, other.path)) ||
    slashed(other.path).some((path) => pathsOverlap(path, route.path));
  if (!(route.service === other.service ? isNear : pathsOverlap(route.path, other.path))) return [];
  const received = routeName(route);
  if (route.service !== other.service) {
    if (isWithin(route.path, other.path) || isWithin(other.path, route.path)) return [];
    const what = `has paths that ${other.service.where} has, too: ${other.path}`;
    return [
      { where, what, received, fix: 'give each its own, or one a beginning that has the other within' },
    ];
  }
  const asks = (one: ServiceRoute) => JSON.stringify(requirementOf(jwt, one));
  if (!route.verbs.some((verb) => other.verbs.includes(verb)) || asks(route) === asks(other)) return [];
  const what = `has requests that ${routeName(other)} has, too, yet their tokens differ: the weaker would hold for both`;
  return [{ where, what, received, fix: 'give both the same tokens, or paths apart from each other' }];
}

/** A path, and the one that differs from it, or from the shortest of it, by a slash at its end. */
function slashed(path: string): readonly string[] {
  const bare = path.replace(/\/(?:\*|\{\*\*\})?$/, '');
  if (bare === '') return [path];
  return [path, bare === path ? `${path}/` : bare];
}

/** Requests with OPTIONS are taken for browsers' preflights, which the gateways do not authenticate. */
function optionsProblems(
  where: string,
  { jwt }: WebEdge,
  route: ServiceRoute,
  preflighted: readonly Preflighted[],
): readonly Problem[] {
  if (!route.verbs.includes('OPTIONS')) return [];
  const received = routeName(route);
  const fix = 'leave OPTIONS out';
  // The service knows the gateways, and not by which edge a request came.
  const [open] = preflighted.filter((edge) =>
    edge.routes.some((other) => other.service === route.service && pathsOverlap(other.path, route.path)),
  );
  if (open !== undefined) {
    const by = open.where === where ? '' : ` by ${open.where}`;
    const what = `a route takes OPTIONS, and preflight requests are let in without a token${by}`;
    return [{ where: `${where}: cors`, what, received, fix }];
  }
  if (Object.keys(jwt?.claims ?? {}).length === 0 || requirementOf(jwt, route).token) return [];
  const what = 'a route takes OPTIONS, and the gateways do not remove claim metadata from preflight requests';
  return [{ where: `${where}: jwt.claims`, what, received, fix }];
}

/**
 * Of each service over plain HTTP one GET that needs no token, and one that does, where it has one.
 * @param isLimited - whether a limit stands before all requests
 */
export function webReads(edge: WebEdge, isLimited: boolean): Pick<EdgeModel, 'web'> {
  if (edge.routes.length === 0) return {};
  const all = Map.groupBy(openRoutes(edge), ({ route }) => route.service);
  const web = [...all].flatMap(([{ name, namespace }, exposed]) => {
    const reads = exposed.flatMap((open) => {
      const path = open.route.verbs.includes('GET') ? samplePath(open) : undefined;
      const { token } = requirementOf(edge.jwt, open.route);
      return path === undefined ? [] : [{ workload: name, namespace: namespace.name, path, token }];
    });
    const free = isLimited ? undefined : reads.find(({ token }) => !token);
    return [free, reads.find(({ token }) => token)].filter((read) => read !== undefined);
  });
  return { web };
}

/** A path that a route has and nobody else within it; none of one that is a template. */
function samplePath({ route: { path }, notPaths }: OpenRoute): string | undefined {
  if (path.includes('{')) return undefined;
  const shortest = path.replace(/\*$/, '');
  const paths = path === shortest ? [path] : [shortest, `${shortest}meshwright-probe`];
  return paths.find((one) => !notPaths.some((other) => pathsOverlap(one, other)));
}
