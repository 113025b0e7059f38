import { nearest } from '../../../core/names.ts';
import type { Problem } from '../../../core/problem.ts';
import type { HttpOperation } from '../http/http-paths.ts';
import type { IstioSpec } from '../../model/istio-models.ts';
import { UnknownMethod, type Method } from '../scope/method.ts';
import { routeProblems } from '../http/route-paths.ts';
import { isRoute } from '../scope/service-route.ts';
import { isPort, UnknownPort } from '../scope/tcp-port.ts';

/** An identity that may call, and what of a workload it may call. */
export interface Grant {
  /** SPIFFE identity without its scheme, as Istio writes principals: `shop.example/ns/shop/sa/orders`. */
  readonly principal: string;
  /** gRPC methods, as HTTP/2 paths. @default - everything on the port */
  readonly paths?: readonly string[];
  /** Requests over HTTP, in the place of `paths`. */
  readonly http?: readonly HttpOperation[];
  readonly port: number;
}

/**
 * The principal of a service account: the SPIFFE ID of its certificate without `spiffe://`
 * (https://istio.io/latest/docs/reference/config/security/authorization-policy/#Source).
 */
export function principalOf(trustDomain: string, namespace: string, serviceAccount: string): string {
  return `${trustDomain}/ns/${namespace}/sa/${serviceAccount}`;
}

/** The HTTP/2 path of a gRPC method (gRPC over HTTP/2, "Requests"): `/shop.catalog.v1.CatalogService/GetProduct`. */
export function pathOf({ descriptor }: Method): string {
  return `/${descriptor.parent.typeName}/${descriptor.name}`;
}

/**
 * An AuthorizationPolicy body that lets exactly these grants through to the workload with the given labels. What no
 * policy allows is denied: the mesh's own policy allows nothing (mesh-defaults.ts). A grant of nothing is no rule: one
 * that names no operation, or no path, would be about every request.
 */
export function allow(
  matchLabels: Readonly<Record<string, string>>,
  grants: readonly Grant[],
): IstioSpec<'AuthorizationPolicy'> {
  const rules = merged(grants)
    .map((grant) => ({ ...grant, order: String(grant.paths) }))
    .toSorted((a, b) => compare(a.principal, b.principal) || a.port - b.port || compare(a.order, b.order))
    .map((grant) => ({
      from: [{ source: { principals: [grant.principal] } }],
      to: operations(grant).map((operation) => ({
        operation: { ports: [String(grant.port)], ...operation },
      })),
    }))
    .filter(({ to }) => to.length > 0);
  return { selector: { matchLabels }, action: 'ALLOW', rules };
}

/** Each identity's grants of methods on a port as one: the ingress gateways have one for each edge that exposes a method. */
function merged(grants: readonly Grant[]): readonly Grant[] {
  const groups = Map.groupBy(grants, ({ paths, http, principal, port }) =>
    JSON.stringify([principal, port, http ?? paths !== undefined]),
  );
  return [...groups.values()].flatMap(([first, ...more]) => {
    if (first?.paths === undefined) return first ?? [];
    return { ...first, paths: [first, ...more].flatMap(({ paths = [] }) => paths) };
  });
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

function operations({ paths, http }: Grant) {
  if (http !== undefined) {
    return http
      .filter((operation) => operation.paths.length > 0)
      .map(({ methods, paths: only, notPaths }) => ({
        ...(methods === undefined ? {} : { methods: [...methods] }),
        paths: [...only],
        ...(notPaths === undefined ? {} : { notPaths: [...notPaths] }),
      }));
  }
  if (paths === undefined) return [{}];
  // gRPC is always POST.
  return paths.length === 0 ? [] : [{ methods: ['POST'], paths: [...new Set(paths)].sort() }];
}

/**
 * What is wrong with the methods, ports and routes that a construct refers to; plain JavaScript may pass anything.
 * @param at - the property that holds one. @default `calls[index]`
 * @param beside - what else than methods is meant. @default - nothing
 */
export function callProblems(
  where: string,
  mesh: object,
  calls: readonly unknown[],
  at: (index: number) => string = (index) => `calls[${index}]`,
  beside: { readonly ports?: boolean; readonly routes?: boolean } = {},
): readonly Problem[] {
  const { ports = false, routes = false } = beside;
  return calls.flatMap((call, index): Problem[] => {
    const problem = { where: `${where}: ${at(index)}` };
    if (call instanceof UnknownMethod || (ports && call instanceof UnknownPort)) {
      const near = nearest(call.name, call.known);
      return [
        {
          ...problem,
          what: `${call.service} has no such ${call instanceof UnknownMethod ? 'method' : 'port'}`,
          received: call.name,
          allowed: call.known.join(', '),
          ...(near === undefined ? {} : { fix: `did you mean ${near}?` }),
        },
      ];
    }
    if (ports && isPort(call)) {
      if ((call.service.mesh as object) === mesh) return [];
      const what = 'is a port of a service in another mesh';
      return [{ ...problem, what, received: call.service.where, fix: 'declare the service in this mesh' }];
    }
    if (routes && isRoute(call)) {
      const wrong = routeProblems(problem.where, call);
      if ((call.service.mesh as object) === mesh) return [...wrong];
      const what = 'is a route of a service in another mesh';
      const fix = 'declare the service in this mesh';
      return [...wrong, { ...problem, what, received: call.service.where, fix }];
    }
    if (!isMethod(call)) {
      const kinds = ['method', ...(ports ? ['port'] : []), ...(routes ? ['route'] : [])];
      const forms = [
        'SERVICE.method.NAME',
        ...(ports ? ['SERVICE.port.NAME of a TcpService'] : []),
        ...(routes ? ['SERVICE.route(VERB, PATH) of an HttpService'] : []),
      ];
      return [
        {
          ...problem,
          what: `is not a ${orList(kinds)} of a declared service`,
          received: call,
          allowed: orList(forms),
        },
      ];
    }
    if (call.service.mesh !== mesh) {
      return [
        {
          ...problem,
          what: 'is a method of a service in another mesh',
          received: call.service.where,
          fix: 'declare the service in this mesh, or call it from outside through its edge',
        },
      ];
    }
    return [];
  });
}

/** Whether it is a method of a declared service; plain JavaScript may pass anything for one. */
export function isMethod(value: unknown): value is Method {
  return (
    typeof value === 'object' &&
    value !== null &&
    'service' in value &&
    'descriptor' in value &&
    'kind' in value
  );
}

function orList(words: readonly string[]): string {
  return new Intl.ListFormat('en', { type: 'disjunction' }).format(words);
}
