import type { IstioSpec } from '../../model/istio-models.ts';

/**
 * Paths that a server may take for others than its policies see: `%2F` and `%5C`, which Envoy's normalization does not decode, the same encoded
 * again, a segment of parameters alone (`/;`), which is an empty one to some that know them (RFC 3986, section 3.3), and `..%3b`, which is `..` to those. An Istio of others may normalize less, so that `..`, `..;` and
 * `%2E` are in it as well.
 */
const ambiguous = String.raw`.*(%(25)*(2[EeFf]|5[Cc])|/(;|%3[Bb]|\.\.?([/;%]|$))).*`;

/** After the filters without one, whose order would else be that of their creation. */
const priority = 10;

const connectionManager = 'envoy.filters.network.http_connection_manager';

/**
 * An EnvoyFilter body that has the proxies beside a service deny such paths, whoever asks: a grant of `/public/*` is none of
 * `/public/..%2Fadmin`. AuthorizationPolicies know whole paths, beginnings and ends, and cannot say this.
 * @param labels - of the service's pods
 * @param port - of its container
 */
export function refuseAmbiguousPaths(
  labels: Readonly<Record<string, string>>,
  port: number,
): IstioSpec<'EnvoyFilter'> {
  return {
    workloadSelector: { labels },
    priority,
    configPatches: [
      {
        applyTo: 'HTTP_FILTER',
        match: {
          context: 'SIDECAR_INBOUND',
          listener: {
            portNumber: port,
            filterChain: {
              filter: { name: connectionManager, subFilter: { name: 'envoy.filters.http.router' } },
            },
          },
        },
        patch: {
          operation: 'INSERT_BEFORE',
          value: {
            name: 'meshwright.ambiguous-paths',
            typed_config: {
              '@type': 'type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC',
              rules: {
                action: 'DENY',
                policies: {
                  'ambiguous-paths': {
                    permissions: [{ url_path: { path: { safe_regex: { regex: ambiguous } } } }],
                    principals: [{ any: true }],
                  },
                },
              },
            },
          },
        },
      },
    ],
  };
}
