import { anyMethod } from '../../../http-rule/pattern.ts';
import type { IstioSpec } from '../../model/istio-models.ts';
import type { Method } from '../scope/method.ts';
import {
  byAddress,
  bySubject,
  filterPriority,
  inboundLimits,
  localRateLimit,
  localRateLimits,
  withoutLimits,
  type LocalLimit,
} from '../rate-limits/local-rate-limit.ts';
import { nameOf, rateOf, type RateLimit } from '../rate-limits/rate-limit.ts';
import { pathRegex } from '../http/istio-paths.ts';
import { waysOf } from '../http/ways.ts';
import { servicesOf } from './edge-access.ts';
import { isSameMethod } from './expose.ts';
import { contentIsNotGrpc, grpcCall } from './grpc-access.ts';
import { requirementOf, type Jwt } from './jwt.ts';

/** Labels of the pods that an EnvoyFilter is for. */
type Labels = Readonly<Record<string, string>>;

/** The rate limit filter on the ingress gateways, once for all edges: it does nothing until a route brings limits. */
export function gatewayFilter(labels: Labels): IstioSpec<'EnvoyFilter'> {
  return {
    workloadSelector: { labels },
    priority: filterPriority,
    configPatches: [
      {
        applyTo: 'HTTP_FILTER',
        match: {
          context: 'GATEWAY',
          listener: {
            filterChain: {
              filter: {
                name: 'envoy.filters.network.http_connection_manager',
                subFilter: { name: 'envoy.filters.http.router' },
              },
            },
          },
        },
        // Behind what refuses requests, so that they do not count, and behind CORS, so that scripts can see the 429.
        patch: { operation: 'INSERT_BEFORE', value: withoutLimits },
      },
    ],
  };
}

/** An edge as far as its limits go. */
export interface Limited {
  readonly rateLimits: readonly RateLimit<string>[];
  /** The methods that it serves by their google.api.http paths. */
  readonly methods: readonly Method[];
  /** Those that native gRPC clients may call. @default - none */
  readonly grpc?: readonly Method[];
}

/**
 * The limits of an edge, on its route.
 */
export function routeLimits(
  labels: Labels,
  route: string,
  edge: Limited,
  jwt: Jwt<string> | undefined,
): IstioSpec<'EnvoyFilter'> {
  const typed = { [localRateLimit]: localRateLimits(limitsOf(edge, jwt)) };
  return {
    workloadSelector: { labels },
    configPatches: [
      {
        applyTo: 'HTTP_ROUTE',
        match: { context: 'GATEWAY', routeConfiguration: { vhost: { route: { name: route } } } },
        patch: { operation: 'MERGE', value: { typed_per_filter_config: typed } },
      },
    ],
  };
}

/**
 * The limits of an edge that also takes native gRPC calls, or has routes of services over plain HTTP, on its virtual hosts: those
 * have routes of their own, and on each route a limit would count for itself.
 * @param hosts - `host:port` of each server, as istiod names its virtual hosts
 */
export function hostLimits(
  labels: Labels,
  hosts: readonly string[],
  edge: Limited,
  jwt: Jwt<string> | undefined,
): IstioSpec<'EnvoyFilter'> {
  const typed = { [localRateLimit]: localRateLimits(limitsOf(edge, jwt)) };
  return {
    workloadSelector: { labels },
    configPatches: hosts.map((name) => ({
      applyTo: 'VIRTUAL_HOST',
      match: { context: 'GATEWAY', routeConfiguration: { vhost: { name } } },
      patch: { operation: 'MERGE', value: { typed_per_filter_config: typed } },
    })),
  };
}

/**
 * The limits of an edge, held by the proxy beside it, where the ingress gateways belong to others. The address of a client is what
 * those add to `x-forwarded-for`.
 * @param port - of the edge's pods
 */
export function sidecarLimits(
  labels: Labels,
  port: number,
  edge: Limited,
  jwt: Jwt<string> | undefined,
): IstioSpec<'EnvoyFilter'> {
  return inboundLimits(labels, port, limitsOf(edge, jwt));
}

function limitsOf(edge: Limited, jwt: Jwt<string> | undefined): readonly LocalLimit[] {
  return edge.rateLimits.map((limit) => localLimit(limit, jwt, edge));
}

/**
 * A client is who its token says where the method asks for one, else the address it calls from: a client without a
 * token must not choose whom it is counted as.
 */
function localLimit(limit: RateLimit<string>, jwt: Jwt<string> | undefined, edge: Limited): LocalLimit {
  const { method, by } = limit;
  const known = method !== undefined && requirementOf(jwt, method).token;
  return {
    name: `${nameOf(method)} by ${by}`,
    requests: method === undefined ? [] : requestsOf(method, edge),
    ...(by === 'client' ? { client: known ? bySubject : byAddress } : {}),
    ...rateOf(limit),
  };
}

function requestsOf(method: Method, { methods, grpc = [] }: Limited): object[][] {
  // As for the policy: what another service of the edge answers by itself is no way to this method.
  const ways = waysOf(method.descriptor, servicesOf(methods)).map((way) => [
    ...(way.httpMethod === anyMethod ? [] : [{ name: ':method', string_match: { exact: way.httpMethod } }]),
    { name: ':path', string_match: { safe_regex: { regex: pathRegex(way) } } },
    ...(grpc.length === 0 ? [] : [contentIsNotGrpc]),
  ]);
  return grpc.some((other) => isSameMethod(method, other)) ? [...ways, grpcCall(method)] : ways;
}
