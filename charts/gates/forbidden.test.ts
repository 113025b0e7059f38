import { describe, expect, test } from '@jest/globals';
import {
  deployment,
  envoy,
  expectRefused,
  httpFilter,
  rbac,
  said,
  security,
  type Own,
  type Refused,
} from '../testing/own-objects.ts';

const grant = 'leave that to Istio, and allow calls with calls, callsHttp or an AuthorizationPolicy';
const who = 'restrict who may call (from), what (to), or when';

/** Of pods of one's own. */
const selector = { matchLabels: { app: 'own' } };
const ofOwn = (filter: Own): Own => ({
  ...filter,
  body: { spec: { ...(filter.body as { spec: object }).spec, workloadSelector: { labels: { app: 'own' } } } },
});

/** What it is, the object, the rule it is against, what is said of it, and what to do. */
const cases: readonly Refused[] = [
  [
    'an allow-all policy in the root namespace',
    security('AuthorizationPolicy', { rules: [{}] }, 'istio-system'),
    'no-allow-all',
    'AuthorizationPolicy istio-system/own: spec.rules[0] allows every call',
    who,
  ],
  ...[
    { from: [{ source: { ipBlocks: ['0.0.0.0/0'] } }] },
    { from: [{ source: { notPrincipals: ['nobody'] } }] },
    { to: [{ operation: { paths: ['/*'], notPorts: ['1'] } }] },
    { when: [{ key: 'request.headers[x-a]', values: ['*'] }] },
  ].map((rule): Refused => [
    `a rule that excludes next to nothing: ${JSON.stringify(rule)}`,
    security('AuthorizationPolicy', { action: 'ALLOW', rules: [rule] }),
    'no-allow-all',
    'AuthorizationPolicy shop/own: spec.rules[0] allows every call',
    who,
  ]),
  [
    'mutual TLS that is off',
    security('PeerAuthentication', { mtls: { mode: 'DISABLE' } }),
    'strict-mutual-tls',
    'PeerAuthentication shop/own: spec.mtls.mode is DISABLE: it accepts calls in plaintext',
    'use STRICT',
  ],
  [
    'an EnvoyFilter that removes RBAC',
    envoy('HTTP_FILTER', httpFilter('envoy.filters.http.rbac'), { operation: 'REMOVE' }),
    'access-filters',
    'EnvoyFilter shop/own: spec.configPatches[0] changes the filter envoy.filters.http.rbac, which decides who may call',
    grant,
  ],
  [
    'one that removes all filters',
    envoy('HTTP_FILTER', { context: 'SIDECAR_INBOUND' }, { operation: 'REMOVE' }),
    'access-filters',
    'EnvoyFilter shop/own: spec.configPatches[0] removes HTTP_FILTER, with the filters that decide who may call',
    grant,
  ],
  [
    'one that replaces what they stand in',
    envoy(
      'NETWORK_FILTER',
      { listener: { filterChain: { filter: { name: 'envoy.filters.network.http_connection_manager' } } } },
      { operation: 'REPLACE', value: {} },
    ),
    'access-filters',
    'EnvoyFilter shop/own: spec.configPatches[0] replaces NETWORK_FILTER envoy.filters.network.http_connection_manager, with the filters that decide who may call',
    grant,
  ],
  [
    'one that turns them off for a route',
    envoy(
      'HTTP_ROUTE',
      { context: 'SIDECAR_INBOUND' },
      {
        operation: 'MERGE',
        value: { typedPerFilterConfig: { 'envoy.filters.http.rbac': { disabled: true } } },
      },
    ),
    'access-filters',
    'EnvoyFilter shop/own: spec.configPatches[0] overrides, for a route, a filter that decides who may call',
    grant,
  ],
  [
    'one that takes the certificate away',
    envoy(
      'FILTER_CHAIN',
      {},
      {
        operation: 'MERGE',
        value: { transport_socket: { typed_config: { require_client_certificate: false } } },
      },
    ),
    'access-filters',
    'EnvoyFilter shop/own: spec.configPatches[0] changes how connections are secured',
    grant,
  ],
  [
    'an EnvoyFilter that merges a rule into every RBAC filter',
    envoy(
      'HTTP_FILTER',
      { context: 'SIDECAR_INBOUND' },
      {
        operation: 'MERGE',
        value: {
          typed_config: {
            '@type': 'type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC',
            rules: { policies: { all: { permissions: [{ any: true }], principals: [{ any: true }] } } },
          },
        },
      },
    ),
    'access-filters',
    'EnvoyFilter shop/own: spec.configPatches[0] changes the filter type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC, which decides who may call',
    grant,
  ],
  [
    'one that adds a way beside the filters',
    envoy('FILTER_CHAIN', { context: 'SIDECAR_INBOUND' }, { operation: 'ADD', value: { name: 'own' } }),
    'access-filters',
    'EnvoyFilter shop/own: spec.configPatches[0] adds a FILTER_CHAIN, whose connections pass none of the filters that decide who may call',
    grant,
  ],
  [
    'plaintext to every service of the mesh, by a wildcard',
    {
      apiVersion: 'networking.istio.io/v1',
      kind: 'DestinationRule',
      body: { spec: { host: '*.local', trafficPolicy: { tls: { mode: 'DISABLE' } } } },
    },
    'strict-mutual-tls',
    'DestinationRule shop/own: spec.trafficPolicy.tls.mode is DISABLE: calls to *.local are in plaintext',
    'use ISTIO_MUTUAL',
  ],
  ...['SIMPLE', 'MUTUAL'].map((mode): Refused => [
    `TLS within the mesh that is not the mesh's: ${mode}`,
    {
      apiVersion: 'networking.istio.io/v1',
      kind: 'DestinationRule',
      body: { spec: { host: '*.local', trafficPolicy: { tls: { mode } } } },
    },
    'strict-mutual-tls',
    `DestinationRule shop/own: spec.trafficPolicy.tls.mode is ${mode}: calls to *.local do not present the caller's identity, so services of the mesh refuse them`,
    'use ISTIO_MUTUAL',
  ]),
  [
    'TLS that verifies nobody',
    {
      apiVersion: 'networking.istio.io/v1',
      kind: 'DestinationRule',
      body: {
        spec: { host: '*.local', trafficPolicy: { tls: { mode: 'ISTIO_MUTUAL', insecureSkipVerify: true } } },
      },
    },
    'strict-mutual-tls',
    'DestinationRule shop/own: spec.trafficPolicy.tls.insecureSkipVerify is set: any server is accepted as *.local',
    'remove it',
  ],
  [
    'code of its own in proxies',
    {
      apiVersion: 'extensions.istio.io/v1alpha1',
      kind: 'WasmPlugin',
      body: { spec: { url: 'oci://registry.example/own' } },
    },
    'access-filters',
    'WasmPlugin shop/own: runs its own code in proxies, which can change who may call; received "oci://registry.example/own"',
    'remove it',
  ],
  [
    'an EnvoyFilter with a program in it',
    envoy(
      'HTTP_FILTER',
      {},
      { operation: 'INSERT_FIRST', value: { name: 'envoy.filters.http.lua', typed_config: {} } },
    ),
    'access-filters',
    'EnvoyFilter shop/own: spec.configPatches[0] adds the filter envoy.filters.http.lua, whose code can change who may call',
    grant,
  ],
  [
    'calls to hosts that nobody declares',
    {
      apiVersion: 'networking.istio.io/v1',
      kind: 'Sidecar',
      body: { spec: { outboundTrafficPolicy: { mode: 'ALLOW_ANY' } } },
    },
    'known-hosts',
    'Sidecar shop/own: spec.outboundTrafficPolicy.mode lets pods call hosts that nobody declares; received "ALLOW_ANY"',
    'use REGISTRY_ONLY, and declare what they call',
  ],
  [
    'a gateway beside those that are declared',
    {
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'Gateway',
      body: { spec: { gatewayClassName: 'istio', listeners: [] } },
    },
    'declared-gateways',
    'Gateway shop/own: belongs to the Gateway API, whose gateways and routes bypass the checks of the mesh; received "gateway.networking.k8s.io/v1"',
    'declare an HttpEdge',
  ],
  [
    'the kinds that such gateways are of',
    {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      name: 'gateways.gateway.networking.k8s.io',
      namespace: undefined,
      body: {},
    },
    'declared-gateways',
    'CustomResourceDefinition gateways.gateway.networking.k8s.io: belongs to the Gateway API, whose gateways and routes bypass the checks of the mesh; received "gateways.gateway.networking.k8s.io"',
    'declare an HttpEdge',
  ],
];

describe('D12: what undoes the security of the mesh is refused, in a construct of one’s own too', () => {
  test.each(cases)('%s', (_, object, rule, what, fix) => {
    expectRefused(object, rule, what, fix);
  });

  test.each<[string, Own]>([
    [
      'a policy of identities',
      security('AuthorizationPolicy', {
        selector,
        rules: [{ from: [{ source: { principals: ['a/b'] } }] }],
      }),
    ],
    [
      'a filter of one’s own',
      ofOwn(
        envoy('HTTP_FILTER', httpFilter('envoy.filters.http.router'), {
          operation: 'INSERT_BEFORE',
          value: { name: 'own' },
        }),
      ),
    ],
    ['one that removes that', ofOwn(envoy('HTTP_FILTER', httpFilter('own'), { operation: 'REMOVE' }))],
  ])('%s is not', (_, object) => {
    expect(said(object, deployment())).toEqual([]);
  });
});

/** Somebody has to read the tokens. */
const authentication = security('RequestAuthentication', {
  selector,
  jwtRules: [{ issuer: 'https://id.example', jwksUri: 'https://id.example/keys' }],
});

test.each<[string, ...Own[]]>([
  [
    'a rule for whoever has a valid token',
    security('AuthorizationPolicy', {
      selector,
      action: 'ALLOW',
      rules: [{ from: [{ source: { requestPrincipals: ['*'] } }] }],
    }),
    authentication,
  ],
  [
    'a rule for whoever has a claim',
    security('AuthorizationPolicy', {
      selector,
      action: 'ALLOW',
      rules: [{ when: [{ key: 'request.auth.claims[sub]', values: ['*'] }] }],
    }),
    authentication,
  ],
  [
    'every verb on the resources of one group',
    rbac('ClusterRole', { rules: [{ apiGroups: ['argoproj.io'], resources: ['*'], verbs: ['*'] }] }),
  ],
])('%s is allowed', (_, ...objects) => {
  expect(said(...objects, deployment())).toEqual([]);
});
