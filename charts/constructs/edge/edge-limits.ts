import type { DescService } from '@bufbuild/protobuf';
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

/** An edge as far as its limits go: those, and all the methods that it exposes. */
export interface Limited {
  readonly rateLimits: readonly RateLimit<string>[];
  readonly methods: readonly Method[];
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

function limitsOf({ rateLimits, methods }: Limited, jwt: Jwt<string> | undefined): readonly LocalLimit[] {
  // As for the policy: what another service of the edge answers by itself is no way to this method.
  const beside = servicesOf(methods);
  return rateLimits.map((limit) => localLimit(limit, jwt, beside));
}

/**
 * A client is who its token says where the method asks for one, else the address it calls from: a client without a
 * token must not choose whom it is counted as.
 */
function localLimit(
  limit: RateLimit<string>,
  jwt: Jwt<string> | undefined,
  beside: readonly DescService[],
): LocalLimit {
  const { method, by } = limit;
  const known = method !== undefined && requirementOf(jwt, method).token;
  return {
    name: `${nameOf(method)} by ${by}`,
    requests: method === undefined ? [] : requestsOf(method, beside),
    ...(by === 'client' ? { client: known ? bySubject : byAddress } : {}),
    ...rateOf(limit),
  };
}

function requestsOf({ descriptor }: Method, beside: readonly DescService[]): object[][] {
  return waysOf(descriptor, beside).map((way) => [
    ...(way.httpMethod === anyMethod ? [] : [{ name: ':method', string_match: { exact: way.httpMethod } }]),
    { name: ':path', string_match: { safe_regex: { regex: pathRegex(way) } } },
  ]);
}
