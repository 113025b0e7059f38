import type { DescService } from '@bufbuild/protobuf';
import { anyMethod } from '../../../http-rule/pattern.ts';
import type { IstioSpec } from '../../model/istio-models.ts';
import type { Method } from '../scope/method.ts';
import { ingressGateway } from '../scope/names.ts';
import {
  byAddress,
  bySubject,
  filterPriority,
  localRateLimit,
  localRateLimits,
  withoutLimits,
  type LocalLimit,
} from '../rate-limits/local-rate-limit.ts';
import { nameOf, type RateLimit } from '../rate-limits/rate-limit.ts';
import { pathRegex } from '../http/istio-paths.ts';
import { waysOf } from '../http/ways.ts';
import { servicesOf } from './edge-access.ts';
import { requirementOf, type Jwt } from './jwt.ts';

const workloadSelector = { labels: { istio: ingressGateway.selector } };

/** The rate limit filter on the ingress gateways, once for all edges: it does nothing until a route brings limits. */
export function gatewayFilter(): IstioSpec<'EnvoyFilter'> {
  return {
    workloadSelector,
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

/**
 * The limits of an edge, on its route.
 * @param edge - its limits, and all the methods that it exposes
 */
export function routeLimits(
  route: string,
  edge: { readonly rateLimits: readonly RateLimit<string>[]; readonly methods: readonly Method[] },
  jwt: Jwt<string> | undefined,
): IstioSpec<'EnvoyFilter'> {
  // As for the policy: what another service of the edge answers by itself is no way to this method.
  const beside = servicesOf(edge.methods);
  const limits = edge.rateLimits.map((limit) => localLimit(limit, jwt, beside));
  const typed = { [localRateLimit]: localRateLimits(limits) };
  return {
    workloadSelector,
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
 * A client is who its token says where the method asks for one, else the address it calls from: a client without a
 * token must not choose whom it is counted as.
 */
function localLimit(
  limit: RateLimit<string>,
  jwt: Jwt<string> | undefined,
  beside: readonly DescService[],
): LocalLimit {
  const { method, by, perSecond, burst = perSecond } = limit;
  const known = method !== undefined && requirementOf(jwt, method).token;
  return {
    name: `${nameOf(method)} by ${by}`,
    requests: method === undefined ? [] : requestsOf(method, beside),
    ...(by === 'client' ? { client: known ? bySubject : byAddress } : {}),
    perSecond,
    burst,
  };
}

function requestsOf({ descriptor }: Method, beside: readonly DescService[]): object[][] {
  return waysOf(descriptor, beside).map((way) => [
    ...(way.httpMethod === anyMethod ? [] : [{ name: ':method', string_match: { exact: way.httpMethod } }]),
    { name: ':path', string_match: { safe_regex: { regex: pathRegex(way) } } },
  ]);
}
