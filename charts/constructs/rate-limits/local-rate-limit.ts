import type { IstioSpec } from '../../model/istio-models.ts';

/** A limit as Envoy is told of it: what it counts, and how much of it may come. */
export interface LocalLimit {
  /** Unlike every other limit's of the filter. */
  readonly name: string;
  /** Ways a counted request comes in, as header matchers of Envoy; any one of them. None: every request counts. */
  readonly requests: readonly (readonly object[])[];
  /** What tells one client from another, for a bucket each. @default - one bucket for all */
  readonly client?: ClientKey;
  /** Sustained rate: so many requests in so many seconds. */
  readonly rate: Rate;
  /** Requests that may come at once. */
  readonly burst: number;
}

export interface Rate {
  readonly calls: number;
  readonly seconds: number;
}

/** An action of Envoy's rate limits that yields a descriptor's entry, and that entry's key. */
export interface ClientKey {
  readonly key: string;
  readonly action: object;
}

/** Address of the client as Envoy trusts it: the peer's own unless the mesh says how many proxies stand before it. */
export const byAddress: ClientKey = { key: 'remote_address', action: { remote_address: {} } };

/** Claim `sub` of the token that the JWT filter took. */
export const bySubject: ClientKey = {
  key: 'subject',
  action: {
    metadata: {
      descriptor_key: 'subject',
      metadata_key: { key: 'envoy.filters.http.jwt_authn', path: [{ key: 'payload' }, { key: 'sub' }] },
      source: 'DYNAMIC',
    },
  },
};

/** SPIFFE ID of the certificate that the caller's proxy showed. */
export const byIdentity: ClientKey = {
  key: 'identity',
  action: {
    extension: {
      name: 'envoy.rate_limit_descriptors.expr',
      typed_config: {
        '@type': 'type.googleapis.com/envoy.extensions.rate_limit_descriptors.expr.v3.Descriptor',
        descriptor_key: 'identity',
        text: 'connection.uri_san_peer_certificate',
      },
    },
  },
};

/** Name of Envoy's filter, by which routes refer to it. */
export const localRateLimit = 'envoy.filters.http.local_ratelimit';

/**
 * `priority` of an EnvoyFilter that places a filter before another one: it is applied after those that say none, which
 * may bring or change that other one (istioctl analyze, IST0151).
 */
export const filterPriority = 10;

const always = { default_value: { numerator: 100, denominator: 'HUNDRED' } };

/**
 * Clients that a proxy remembers for each limit; of more, those not seen for longest start anew. A bucket takes some
 * hundred bytes.
 */
const clientsRemembered = 10_000;

/** No limit in effect: the filter asks for a bucket that holds when no descriptor matches. */
const unlimited = bucket(4_294_967_295, { calls: 4_294_967_295, seconds: 1 });

const config = {
  '@type': 'type.googleapis.com/envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit',
  stat_prefix: 'rate_limits',
};

/** The filter without limits of its own, for routes to bring theirs. */
export const withoutLimits: object = { name: localRateLimit, typed_config: config };

/**
 * Body of Envoy's local rate limit filter
 * (https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/local_rate_limit_filter), for itself or
 * for a route. gRPC calls over a limit end with RESOURCE_EXHAUSTED, others with 429. Needs Envoy 1.34 or Istio 1.26.
 */
export function localRateLimits(limits: readonly LocalLimit[]): object {
  return {
    ...config,
    token_bucket: unlimited,
    filter_enabled: always,
    filter_enforced: always,
    always_consume_default_token_bucket: false,
    rate_limited_as_resource_exhausted: true,
    ...(limits.some(({ client }) => client) ? { max_dynamic_descriptors: clientsRemembered } : {}),
    rate_limits: limits.flatMap(rateLimits),
    descriptors: limits.map(({ name, client, burst, rate }) => ({
      entries: [{ key: 'limit', value: name }, ...(client === undefined ? [] : [{ key: client.key }])],
      token_bucket: bucket(burst, rate),
    })),
  };
}

/**
 * An EnvoyFilter body that has the proxies beside pods hold limits on a port.
 * @param labels - of the pods
 */
export function inboundLimits(
  labels: Readonly<Record<string, string>>,
  port: number,
  limits: readonly LocalLimit[],
): IstioSpec<'EnvoyFilter'> {
  const filter = { name: localRateLimit, typed_config: localRateLimits(limits) };
  return {
    workloadSelector: { labels },
    priority: filterPriority,
    configPatches: [
      {
        applyTo: 'HTTP_FILTER',
        match: {
          context: 'SIDECAR_INBOUND',
          listener: {
            portNumber: port,
            filterChain: {
              filter: {
                name: 'envoy.filters.network.http_connection_manager',
                subFilter: { name: 'envoy.filters.http.router' },
              },
            },
          },
        },
        // Last before the router: behind what refuses calls by their identity.
        patch: { operation: 'INSERT_BEFORE', value: filter },
      },
    ],
  };
}

function rateLimits({ name, requests, client }: LocalLimit): object[] {
  const more = client === undefined ? [] : [client.action];
  const value = { descriptor_key: 'limit', descriptor_value: name };
  if (requests.length === 0) return [{ actions: [{ generic_key: value }, ...more] }];
  return requests.map((headers) => ({ actions: [{ header_value_match: { ...value, headers } }, ...more] }));
}

/** Envoy fills it evenly, not all at once when the interval is over. */
function bucket(burst: number, { calls, seconds }: Rate) {
  return { max_tokens: burst, tokens_per_fill: calls, fill_interval: `${seconds}s` };
}
