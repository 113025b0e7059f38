import { describe, expect, test } from '@jest/globals';
import type { KubernetesObject } from '../../model/mesh-model.ts';
import { softMutualTls, touchesAccess } from './mesh-rules.ts';

const object = (apiVersion: string, kind: string, spec?: unknown): KubernetesObject => ({
  apiVersion,
  kind,
  metadata: { name: 'one', namespace: 'shop' },
  spec,
});
const what = (violations: readonly { readonly what: string }[]) => violations.map((one) => one.what);

describe('mutual TLS', () => {
  const peers = (spec: unknown, apiVersion = 'security.istio.io/v1') =>
    softMutualTls(object(apiVersion, 'PeerAuthentication', spec));
  const destination = (spec: unknown, apiVersion = 'networking.istio.io/v1') =>
    softMutualTls(object(apiVersion, 'DestinationRule', spec));
  const disabled = { tls: { mode: 'DISABLE' } };
  const plaintext = (where: string, host: string) => ({
    what: `${where}.tls.mode is DISABLE: calls to ${host} are in plaintext`,
    fix: 'use ISTIO_MUTUAL',
  });

  test.each(['PERMISSIVE', 'DISABLE'])(
    '%s, for all ports and for one, in every version of the API',
    (mode) => {
      const accepts = (where: string) => ({
        what: `${where}.mode is ${mode}: it accepts calls in plaintext`,
        fix: 'use STRICT',
      });
      const spec = { mtls: { mode }, portLevelMtls: { 80: { mode: 'STRICT' }, 81: { mode } } };
      for (const version of ['v1', 'v1beta1'])
        expect(peers(spec, `security.istio.io/${version}`)).toEqual([
          accepts('spec.mtls'),
          accepts('spec.portLevelMtls.81'),
        ]);
    },
  );

  test.each([{}, undefined, { mtls: {} }, { mtls: { mode: 'UNSET' } }, { mtls: { mode: 'STRICT' } }])(
    'what is inherited or strict is not soft: %j',
    (spec) => {
      expect(peers(spec)).toEqual([]);
    },
  );

  test.each<[string, object, object, readonly string[]]>([
    ['a Secret that sidecars pass over', { credentialName: 'a' }, {}, ['credentialName']],
    [
      'a Secret for pods that are named',
      { credentialName: 'a' },
      { workloadSelector: { matchLabels: { a: 'b' } } },
      [],
    ],
    ['a CA in a ConfigMap', { credentialName: 'configmap://shop/a' }, {}, []],
    ['a name that is sent and not looked for', { sni: 'a.example' }, {}, ['sni']],
    ['a name that is both', { sni: 'a.example', subjectAltNames: ['a.example'] }, {}, []],
    ['neither, which Envoy takes from the request', {}, {}, []],
  ])('TLS to a server outside, by %s', (_, tls, spec, keys) => {
    const says = {
      credentialName: {
        what: 'credentialName is passed over by sidecars without a spec.workloadSelector: their calls to a.example leave in plaintext',
        received: 'a',
        fix: 'declare an ExternalService with tls, or name the pods by a workloadSelector',
      },
      sni: {
        what: 'sni is set without subjectAltNames: any server with a certificate of a known CA is accepted as a.example',
        received: 'a.example',
        fix: 'name the server in subjectAltNames, too',
      },
    };
    for (const mode of ['SIMPLE', 'MUTUAL']) {
      const portLevelSettings = [{ port: { number: 443 }, tls: { mode, ...tls } }];
      const at = 'spec.trafficPolicy.portLevelSettings[0].tls.';
      expect(destination({ host: 'a.example', trafficPolicy: { portLevelSettings }, ...spec })).toEqual(
        keys.map((key) => ({ ...says[key as 'sni'], what: `${at}${says[key as 'sni'].what}` })),
      );
    }
    expect(
      destination({ host: 'a.example', trafficPolicy: { tls: { mode: 'DISABLE', ...tls } }, ...spec }),
    ).toEqual([]);
  });

  test('objects of other groups and kinds are others', () => {
    const spec = { mtls: { mode: 'DISABLE' }, host: 'catalog', trafficPolicy: disabled };
    expect(peers(spec, 'security.istio.io.example/v1')).toEqual([]);
    expect(destination(spec, 'networking.k8s.io/v1')).toEqual([]);
    expect(softMutualTls(object('security.istio.io/v1', 'RequestAuthentication', spec))).toEqual([]);
    expect(softMutualTls(object('security.istio.io/v1', 'DestinationRule', spec))).toEqual([]);
    expect(softMutualTls(object('networking.istio.io/v1', 'PeerAuthentication', spec))).toEqual([]);
  });

  test.each([
    'catalog',
    'catalog.shop.svc.cluster.local',
    '*',
    '*.local',
    '*.shop.svc.cluster.local',
    '*.cluster.local',
    '',
  ])('plaintext to %j is within the mesh', (host) => {
    expect(destination({ host, trafficPolicy: disabled })).toEqual([plaintext('spec.trafficPolicy', host)]);
  });

  test.each([
    'old.example',
    '*.example',
    'catalog.shop.svc.cluster.local.example',
    'svc.cluster.locals.example',
    'cluster.local',
  ])('plaintext to %s is to the outside', (host) => {
    expect(destination({ host, trafficPolicy: disabled })).toEqual([]);
  });

  test('every policy of a destination is looked at', () => {
    const policy = { ...disabled, portLevelSettings: [{ tls: { mode: 'ISTIO_MUTUAL' } }, disabled] };
    const subsets = [{ name: 'v1', trafficPolicy: policy }, { trafficPolicy: disabled }, { name: 'v3' }];
    expect(destination({ host: 'catalog', trafficPolicy: policy, subsets })).toEqual([
      plaintext('spec.trafficPolicy', 'catalog'),
      plaintext('spec.trafficPolicy.portLevelSettings[1]', 'catalog'),
      plaintext('spec.subsets.v1.trafficPolicy', 'catalog'),
      plaintext('spec.subsets.v1.trafficPolicy.portLevelSettings[1]', 'catalog'),
      plaintext('spec.subsets..trafficPolicy', 'catalog'),
    ]);
    expect(destination({ host: 'catalog' })).toEqual([]);
  });
});

describe('filters of Envoy', () => {
  const filter = (...configPatches: unknown[]) =>
    what(touchesAccess(object('networking.istio.io/v1alpha3', 'EnvoyFilter', { configPatches })));
  const patch = (applyTo: string, operation: string, name?: string, value?: unknown) => {
    const at = applyTo === 'HTTP_FILTER' ? { subFilter: { name } } : { name };
    const match = name === undefined ? {} : { listener: { filterChain: { filter: at } } };
    return { applyTo, match, patch: { operation, value } };
  };
  const manager = 'envoy.filters.network.http_connection_manager';

  test.each([
    ...[
      'envoy.filters.http.rbac',
      'envoy.filters.http.jwt_authn',
      'envoy.filters.http.ext_authz',
      'istio_authn',
    ].flatMap((name) =>
      ['REMOVE', 'REPLACE', 'MERGE'].map((operation): [object, string] => [
        patch('HTTP_FILTER', operation, name),
        `changes the filter ${name}, which decides who may call`,
      ]),
    ),
    [
      patch('NETWORK_FILTER', 'MERGE', 'envoy.filters.network.RBAC'),
      'changes the filter envoy.filters.network.RBAC, which decides who may call',
    ],
    [
      patch('HTTP_FILTER', 'MERGE', undefined, { name: 'istio.authn' }),
      'changes the filter istio.authn, which decides who may call',
    ],
    [
      patch('HTTP_FILTER', 'MERGE', 'other', { typed_config: { '@type': 'type.googleapis.com/envoy.RBAC' } }),
      'changes the filter type.googleapis.com/envoy.RBAC, which decides who may call',
    ],
    ...['LISTENER', 'FILTER_CHAIN', 'NETWORK_FILTER', 'HTTP_FILTER'].flatMap(
      (applyTo): [object, string][] => [
        [patch(applyTo, 'REMOVE'), `removes ${applyTo}, with the filters that decide who may call`],
        [patch(applyTo, 'REPLACE'), `replaces ${applyTo}, with the filters that decide who may call`],
      ],
    ),
    [
      patch('NETWORK_FILTER', 'REMOVE', manager),
      `removes NETWORK_FILTER ${manager}, with the filters that decide who may call`,
    ],
    [patch('LISTENER', 'REPLACE', 'one'), 'replaces LISTENER one, with the filters that decide who may call'],
    ...['LISTENER', 'FILTER_CHAIN'].map((applyTo): [object, string] => [
      patch(applyTo, 'ADD', undefined, {}),
      `adds a ${applyTo}, whose connections pass none of the filters that decide who may call`,
    ]),
    ...[
      'transport_socket',
      'transportSocket',
      'transport_socket_matches',
      'tls_context',
      'requireClientCertificate',
    ].map((key): [object, string] => [
      patch('CLUSTER', 'MERGE', undefined, { deep: [{ [key]: {} }] }),
      'changes how connections are secured',
    ]),
    ...[
      { name: 'envoy.filters.http.lua' },
      {
        name: 'own',
        typed_config: { '@type': 'type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm' },
      },
      { name: 'envoy.filters.http.ext_proc' },
      {
        typed_config: { type_url: 'type.googleapis.com/envoy.extensions.filters.http.golang.v3alpha.Config' },
      },
      { name: 'envoy.filters.http.dynamic_modules' },
    ].map((value): [object, string] => [
      patch('HTTP_FILTER', 'INSERT_BEFORE', 'other', value),
      `adds the filter ${value.typed_config?.['@type'] ?? value.typed_config?.type_url ?? value.name ?? ''}, whose code can change who may call`,
    ]),
    ...['typed_per_filter_config', 'typedPerFilterConfig'].map((key): [object, string] => [
      patch('HTTP_ROUTE', 'MERGE', undefined, { [key]: { other: {}, 'envoy.filters.http.rbac': {} } }),
      'overrides, for a route, a filter that decides who may call',
    ]),
  ])('%j undermines access', (one, said) => {
    expect(filter(patch('HTTP_FILTER', 'ADD', 'other'), one)).toEqual([`spec.configPatches[1] ${said}`]);
  });

  test.each([
    patch('HTTP_FILTER', 'ADD', 'envoy.filters.http.rbac'),
    patch('HTTP_FILTER', 'INSERT_BEFORE', 'envoy.filters.http.rbac', { name: 'envoy.filters.http.fault' }),
    patch('HTTP_FILTER', 'REMOVE', 'envoy.filters.http.lua', { name: 'envoy.filters.http.lua' }),
    patch('HTTP_FILTER', 'ADD', 'evaluate', { name: 'evaluator' }),
    patch('HTTP_FILTER', 'MERGE', 'envoy.filters.http.router'),
    patch('HTTP_FILTER', 'REMOVE', 'envoy.filters.http.fault'),
    patch('HTTP_FILTER', 'REPLACE', manager),
    patch('NETWORK_FILTER', 'REMOVE', 'envoy.filters.network.mysql'),
    patch('CLUSTER', 'ADD', undefined, { name: 'own' }),
    patch('CLUSTER', 'REMOVE'),
    patch('HTTP_ROUTE', 'MERGE', undefined, { name: 7, route: null, typed_per_filter_config: { lua: {} } }),
    patch('HTTP_ROUTE', 'MERGE', undefined, { typed_per_filter_config: null }),
    patch('HTTP_ROUTE', 'MERGE', undefined, { metadata: { rbac: 'envoy.filters.http.rbac' } }),
    patch('LISTENER', 'MERGE', undefined, { per_connection_buffer_limit_bytes: 1 }),
    {},
    null,
  ])('%j does not', (one) => {
    expect(filter(one)).toEqual([]);
  });

  test('what is said, and of which objects', () => {
    const spec = { configPatches: [patch('LISTENER', 'REMOVE')] };
    expect(touchesAccess(object('networking.istio.io/v1alpha3', 'EnvoyFilter', spec))).toEqual([
      {
        what: 'spec.configPatches[0] removes LISTENER, with the filters that decide who may call',
        fix: 'leave that to Istio, and allow calls with calls, callsHttp or an AuthorizationPolicy',
      },
    ]);
    expect(touchesAccess(object('networking.istio.io/v1', 'Sidecar', spec))).toEqual([]);
    expect(touchesAccess(object('networking.example/v1', 'EnvoyFilter', spec))).toEqual([]);
  });
});
