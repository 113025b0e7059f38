import { describe, expect, test } from '@jest/globals';
import {
  deployment,
  envoy,
  expectRefused,
  said,
  security,
  type Own,
  type Refused,
} from '../../testing/own-objects.ts';

const matchLabels = { 'app.kubernetes.io/name': 'catalog' };
const own = { selector: { matchLabels: { app: 'own' } } };
const from = [{ source: { principals: ['demo.example/ns/shop/sa/catalog'] } }];
const grant = 'grant them with calls, callsHttp or existingCaller, or have it select pods of your own';
const received = 'received {"app.kubernetes.io/name":"catalog"}';
const all = 'received "no selector: all pods of its namespace"';
const jwtRules = [{ issuer: 'https://id.example', jwksUri: 'https://id.example/keys' }];

const cases: readonly Refused[] = [
  [
    'a policy that allows calls to a declared service',
    security('AuthorizationPolicy', { selector: { matchLabels }, rules: [{ from }] }),
    'declared-access',
    `AuthorizationPolicy shop/own allows calls to Deployment shop/catalog, which the mesh declares; ${received}`,
    grant,
  ],
  [
    'one for the whole namespace',
    security('AuthorizationPolicy', { action: 'ALLOW', rules: [{ from }] }),
    'declared-access',
    `AuthorizationPolicy shop/own allows calls to Deployment shop/catalog, which the mesh declares; ${all}`,
    grant,
  ],
  [
    'one for the whole mesh',
    security('AuthorizationPolicy', { rules: [{ from }] }, 'istio-system'),
    'declared-access',
    'AuthorizationPolicy istio-system/own allows calls to Deployment istio-eastwest/istio-eastwestgateway, Deployment istio-ingress/istio-ingressgateway, Deployment shop/catalog, which the mesh declares; ' +
      all,
    grant,
  ],
  [
    'keys of its callers’ tokens',
    security('RequestAuthentication', { selector: { matchLabels }, jwtRules }),
    'declared-access',
    `RequestAuthentication shop/own says whose tokens are believed at Deployment shop/catalog, which the mesh declares; ${received}`,
    'use jwt of an HttpEdge, or have it select pods of your own',
  ],
  [
    'a filter in its proxies',
    envoy('CLUSTER', {}, { operation: 'ADD', value: { name: 'own' } }),
    'own-proxy',
    `EnvoyFilter shop/own changes the proxies of Deployment shop/catalog, which the mesh declares; ${all}`,
    'use the constructs for it, or have it select pods of your own',
  ],
  [
    'variables of its proxies',
    {
      apiVersion: 'networking.istio.io/v1beta1',
      kind: 'ProxyConfig',
      body: { spec: { selector: { matchLabels }, concurrency: 1 } },
    },
    'own-proxy',
    `ProxyConfig shop/own changes the proxies of Deployment shop/catalog, which the mesh declares; ${received}`,
    'have it select pods of your own',
  ],
];

describe('what is one’s own changes nothing of declared pods without a reason', () => {
  test.each(cases)('%s', (_, object, rule, what, fix) => {
    expectRefused(object, rule, what, fix);
  });

  test.each<[string, Own]>([
    ['a policy that denies', security('AuthorizationPolicy', { action: 'DENY', rules: [{ from }] })],
    ['one that allows nothing', security('AuthorizationPolicy', {})],
    ['one of pods of one’s own', security('AuthorizationPolicy', { ...own, rules: [{ from }] })],
    ['tokens for pods of one’s own', security('RequestAuthentication', { ...own, jwtRules })],
  ])('%s is right', (_, object) => {
    expect(said(object, deployment())).toEqual([]);
  });
});

describe('a policy of pods of one’s own says who may call them', () => {
  const to = [{ operation: { ports: ['8080'] } }];
  const anybody = (index: number) =>
    `demo/custom: AuthorizationPolicy shop/own: spec.rules[${index}] says what may be called and not by whom, so that anybody may; ` +
    'fix: say who may call (from); or, if it has to be so, give the reason in its annotation meshwright/accept-no-allow-all';
  const rulesOf = (...rules: object[]) => security('AuthorizationPolicy', { ...own, rules });

  test('each rule of it, unless there is a reason', () => {
    expect(said(rulesOf({ from, to }, { to }, { to, when: [] }), deployment())).toEqual([
      anybody(1),
      anybody(2),
    ]);
    const annotations = { 'meshwright/accept-no-allow-all': 'health checks of the nodes' };
    expect(said({ ...rulesOf({ to }), annotations }, deployment())).toEqual([]);
  });

  test('by a condition as well; and whom it denies it need not say', () => {
    const when = [{ key: 'source.namespace', values: ['shop'] }];
    expect(said(rulesOf({ to, when }), deployment())).toEqual([]);
    const denies = security('AuthorizationPolicy', { ...own, action: 'DENY', rules: [{ to }] });
    expect(said(denies, deployment())).toEqual([]);
  });
});
