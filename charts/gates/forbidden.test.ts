import { describe, expect, test } from '@jest/globals';
import {
  deployment,
  envoy,
  httpFilter,
  rbac,
  said,
  security,
  service,
  type Own,
} from '../testing/own-objects.ts';

const grant = 'leave that to Istio, and allow calls with calls, callsHttp or an AuthorizationPolicy';
const past = 'remove it, and declare what may be called with calls, callsExternal or MutualTls';
const node = 'remove it: the pod would share what belongs to the node';
const rights = 'name the verbs and resources that are needed, for the account that needs them';
const who = 'restrict who may call (from), what (to), or when';

/** What it is, the object, the rule it is against, what is said of it, and what to do. */
const cases: readonly [string, Own, string, string, string][] = [
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
  ].map((rule): [string, Own, string, string, string] => [
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
    'ports that pass the proxy',
    deployment({}, {}, { annotations: { 'traffic.sidecar.istio.io/excludeInboundPorts': '50051' } }),
    'behind-proxy',
    'Deployment shop/own: the annotation traffic.sidecar.istio.io/excludeInboundPorts lets traffic bypass the proxy; received "50051"',
    past,
  ],
  [
    'pods without a proxy',
    deployment({}, {}, { labels: { app: 'own', 'sidecar.istio.io/inject': 'false' } }),
    'behind-proxy',
    'Deployment shop/own: the label sidecar.istio.io/inject leaves the pods without a proxy; received "false"',
    past,
  ],
  [
    "the proxy's user",
    deployment({ securityContext: { runAsUser: 1337 } }),
    'behind-proxy',
    'Deployment shop/own: containers[own].securityContext.runAsUser is the user id of the proxy, whose traffic bypasses the proxy; received 1337',
    'choose another',
  ],
  [
    'the network of the node',
    deployment({}, { hostNetwork: true }),
    'no-node-access',
    'Deployment shop/own: hostNetwork is set; received true',
    node,
  ],
  [
    'a folder of the node',
    deployment({}, { volumes: [{ name: 'root', hostPath: { path: '/' } }] }),
    'no-node-access',
    'Deployment shop/own: volumes[root] is a folder of the node; received "/"',
    node,
  ],
  [
    'a port of the node',
    deployment({ ports: [{ containerPort: 80, hostPort: 80 }] }),
    'no-node-access',
    'Deployment shop/own: containers[own] takes a port of the node; received 80',
    node,
  ],
  [
    'a privileged container',
    deployment({ securityContext: { privileged: true } }),
    'no-node-access',
    'Deployment shop/own: containers[own].securityContext.privileged is set; received true',
    'remove it',
  ],
  [
    'more capabilities',
    deployment({ securityContext: { capabilities: { add: ['NET_ADMIN'], drop: ['ALL'] } } }),
    'no-node-access',
    'Deployment shop/own: containers[own].securityContext.capabilities.add goes beyond what the level restricted allows; received ["NET_ADMIN"]; allowed NET_BIND_SERVICE',
    'remove it',
  ],
  [
    'root',
    deployment({}, { securityContext: { runAsUser: 0 } }),
    'no-node-access',
    'Deployment shop/own: securityContext.runAsUser is root; received 0',
    'run as a user other than root',
  ],
  [
    'D15: a variable that loads code',
    deployment({ env: [{ name: 'LD_PRELOAD', value: '/tmp/own.so' }] }),
    'safe-environment',
    'Deployment shop/own: containers[own].env loads code into the program, or changes how it is loaded; received "LD_PRELOAD"',
    'remove it',
  ],
  [
    'variables that nobody sees',
    deployment({ envFrom: [{ prefix: 'NODE_', configMapRef: { name: 'own' } }] }),
    'safe-environment',
    'Deployment shop/own: containers[own].envFrom[0] makes a variable of every key, whatever it is called: ' +
      'one may load code into the program; received {"configMapRef":{"name":"own"},"prefix":"NODE_"}',
    'name the variables by env and valueFrom, or give them a prefix, such as CONFIG_',
  ],
  [
    'an app in the pods of a gateway',
    deployment({}, {}, { annotations: { 'inject.istio.io/templates': 'gateway' } }),
    'behind-proxy',
    'Deployment shop/own: the annotation inject.istio.io/templates gives the pods a proxy that their traffic bypasses; received "gateway"',
    'remove it, or keep a gateway in pods of its own',
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
  ...['SIMPLE', 'MUTUAL'].map((mode): [string, Own, string, string, string] => [
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
  [
    'a proxy of one’s own',
    deployment({ name: 'istio-proxy' }),
    'behind-proxy',
    "Deployment shop/own: containers[istio-proxy].image replaces the mesh's proxy, regardless of the control plane's version; " +
      `received "registry.example/app@sha256:${'0a'.repeat(32)}"`,
    'use auto, or remove the container',
  ],
  ...['proxy.istio.io/overrides', 'istio.io/reroute-virtual-interfaces'].map(
    (name): [string, Own, string, string, string] => [
      `an annotation by which traffic passes the proxy: ${name}`,
      deployment({}, {}, { annotations: { [name]: 'net1' } }),
      'behind-proxy',
      `Deployment shop/own: the annotation ${name} lets traffic bypass the proxy; received "net1"`,
      past,
    ],
  ),
  [
    'every verb on roles',
    rbac('ClusterRole', {
      rules: [{ apiGroups: ['rbac.authorization.k8s.io'], resources: ['clusterroles'], verbs: ['*'] }],
    }),
    'least-rights',
    'ClusterRole own: rules[0] lets an account give itself more rights; received "*"',
    rights,
  ],
  [
    'a binding of cluster-admin',
    rbac('ClusterRoleBinding', {
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
      subjects: [{ kind: 'ServiceAccount', name: 'own', namespace: 'shop' }],
    }),
    'least-rights',
    'ClusterRoleBinding own: roleRef gives every right; received "cluster-admin"',
    rights,
  ],
  [
    'a role like it',
    rbac('ClusterRole', { rules: [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }] }),
    'least-rights',
    'ClusterRole own: rules[0] allows everything; received "*"',
    rights,
  ],
  [
    'a role that leads to it',
    rbac('ClusterRole', { rules: [{ apiGroups: [''], resources: ['users'], verbs: ['impersonate'] }] }),
    'least-rights',
    'ClusterRole own: rules[0] lets an account give itself more rights; received "impersonate"',
    rights,
  ],
  [
    'a right for everybody',
    rbac('ClusterRoleBinding', {
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' },
      subjects: [{ kind: 'Group', apiGroup: 'rbac.authorization.k8s.io', name: 'system:unauthenticated' }],
    }),
    'least-rights',
    'ClusterRoleBinding own: subjects has a group that contains every account, or everybody; received "system:unauthenticated"',
    rights,
  ],
  [
    'the newest image',
    deployment({ image: 'registry.example/app:latest' }),
    'pinned-images',
    'Deployment shop/own: containers[own].image is "registry.example/app:latest": the tag "latest" may move to another image',
    'use a digest or a fixed tag',
  ],
  [
    'a container without bounds',
    deployment({ resources: {} }),
    'bounded-resources',
    'Deployment shop/own: containers[own].resources lacks requests.cpu, requests.memory, limits.memory',
    'set what is missing',
  ],
  [
    'a load balancer for the whole world',
    service({ type: 'LoadBalancer', ports: [{ name: 'http', port: 80 }] }),
    'known-sources',
    'Service shop/own: spec.loadBalancerSourceRanges is missing: any address may call this load balancer',
    'list the ranges that may, or give the reason in the annotation meshwright/any-source',
  ],
];

describe('D12: what undoes the security of the mesh is refused, in a construct of one’s own too', () => {
  test.each(cases)('%s', (_, object, rule, what, fix) => {
    const annotation = `meshwright/accept-${rule}`;
    expect(said(object)).toEqual([
      `demo/custom: ${what}; fix: ${fix}; or, if it has to be so, give the reason in its annotation ${annotation}`,
    ]);
    // A reason in writing is what makes an exception, and one of nothing else.
    expect(said({ ...object, annotations: { [annotation]: 'as the auditors know' } })).toEqual([]);
    expect(said({ ...object, annotations: { [annotation]: ' ' } })).toHaveLength(1);
    expect(said({ ...object, annotations: { 'meshwright/accept-other': 'a reason' } })).toHaveLength(1);
  });

  test.each<[string, Own]>([
    [
      'a policy of identities',
      security('AuthorizationPolicy', { rules: [{ from: [{ source: { principals: ['a/b'] } }] }] }),
    ],
    ['a deployment as it should be', deployment({ securityContext: { capabilities: { drop: ['ALL'] } } })],
    [
      'variables with a prefix of their own',
      deployment({ envFrom: [{ prefix: 'CONFIG_', secretRef: { name: 'own' } }] }),
    ],
    [
      'redirection of everything',
      deployment({}, {}, { annotations: { 'traffic.sidecar.istio.io/includeInboundPorts': '*' } }),
    ],
    [
      'a filter of one’s own',
      envoy('HTTP_FILTER', httpFilter('envoy.filters.http.router'), {
        operation: 'INSERT_BEFORE',
        value: { name: 'own' },
      }),
    ],
    ['one that removes that', envoy('HTTP_FILTER', httpFilter('own'), { operation: 'REMOVE' })],
  ])('%s is not', (_, object) => {
    expect(said(object)).toEqual([]);
  });
});

test.each<[string, Own]>([
  [
    'a rule for whoever has a valid token',
    security('AuthorizationPolicy', {
      action: 'ALLOW',
      rules: [{ from: [{ source: { requestPrincipals: ['*'] } }] }],
    }),
  ],
  [
    'a rule for whoever has a claim',
    security('AuthorizationPolicy', {
      action: 'ALLOW',
      rules: [{ when: [{ key: 'request.auth.claims[sub]', values: ['*'] }] }],
    }),
  ],
  [
    'every verb on the resources of one group',
    rbac('ClusterRole', { rules: [{ apiGroups: ['argoproj.io'], resources: ['*'], verbs: ['*'] }] }),
  ],
  ['an image by the number of a build', deployment({ image: 'registry.example/app:20241130.1' })],
])('%s is allowed', (_, object) => {
  expect(said(object)).toEqual([]);
});
