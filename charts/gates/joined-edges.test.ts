import { describe, expect, test } from '@jest/globals';
import { HttpEdge } from '../constructs/edge/http-edge.ts';
import { formatProblem } from '../../core/problem.ts';
import type { KubernetesObject } from '../model/mesh-model.ts';
import { edge, joined, rendered, theirGateways } from '../testing/existing.ts';
import { objectOf, renderedOf } from '../testing/rendered.ts';
import { claimedHeaders } from './claims.ts';
import { unreadTokens } from './token-readers.ts';

const { namespace, selector } = theirGateways;
const istio = { labels: {}, shared: ['team-a'], closed: [namespace], ingress: { namespace, selector } };

/** What the gates say of tokens in a cluster where edges join gateways of others. */
const saidOf = (...objects: readonly KubernetesObject[]) =>
  [unreadTokens, claimedHeaders].flatMap((gate) =>
    gate({ ...renderedOf(objects), istio }).map(formatProblem),
  );

/** An edge that passes on a claim, and one that everybody may call. */
const objects = rendered((shop) => {
  edge(shop);
  new HttpEdge(shop.shop, 'open', { expose: [shop.inventory.method.reserve], hosts: ['open.example'] });
}, joined);
const without = (...kinds: readonly string[]) => objects.filter(({ kind }) => !kinds.includes(kind));
const removed =
  'fix: remove it in every HTTP route (headers.request.remove), or have a RequestAuthentication of the pods behind that host set it';
const setsIt = 'carries a claim that is set by RequestAuthentication shop/edge';

describe('an edge at gateways of others', () => {
  test('is taken as it is rendered', () => {
    expect(objects.filter(({ kind }) => kind === 'RequestAuthentication')).toHaveLength(1);
    expect(saidOf(...objects)).toEqual([]);
  });

  test('without the RequestAuthentication of its proxy is refused: nobody gets in by a token, and anybody says who they are', () => {
    expect(saidOf(...without('RequestAuthentication'))).toEqual([
      'own: AuthorizationPolicy shop/edge asks for tokens, but no RequestAuthentication reads them at Deployment shop/edge: there no request has one; received ["request.auth.claims[iss]","requestPrincipals","request.auth.audiences"]; fix: add one for these pods, or ask for something else',
      `own: VirtualService shop/edge lets clients of gateways of others set the header x-user at edge.shop.svc.cluster.local, which Deployment shop/edge passes on as a claim that no RequestAuthentication sets; ${removed}`,
    ]);
  });

  test('with one that writes no claim, or is for other pods, is refused', () => {
    const tokens = (spec: object, metadata: object = {}) =>
      objectOf('security.istio.io/v1', 'RequestAuthentication', spec, { name: 'edge', ...metadata });
    const [mute, elsewhere] = [{ jwtRules: [{}] }, { selector: { matchLabels: { app: 'other' } } }];
    const passes = `own: VirtualService shop/edge lets clients of gateways of others set the header x-user at edge.shop.svc.cluster.local, which Deployment shop/edge passes on as a claim that no RequestAuthentication sets; ${removed}`;
    expect(saidOf(...without('RequestAuthentication'), tokens(mute))).toEqual([passes]);
    for (const other of [tokens(elsewhere), tokens(mute, { namespace: 'team-a' })])
      expect(saidOf(...without('RequestAuthentication'), other)).toHaveLength(2);
  });

  test('is one of several ways in: another one that lets the header of its claim through is refused', () => {
    const route = (http: object) =>
      objectOf('networking.istio.io/v1', 'VirtualService', {
        ...{ hosts: ['raw.example'], gateways: ['edge'] },
        http: [{ route: [{ destination: { host: 'inventory.team-a.svc.cluster.local' } }], ...http }],
      });
    expect(saidOf(...objects, route({}))).toEqual([
      `own: VirtualService shop/one lets clients of gateways of others set the header x-user at inventory.team-a.svc.cluster.local, which ${setsIt}; ${removed}`,
    ]);
    expect(saidOf(...objects, route({ headers: { request: { remove: ['X-User'] } } }))).toEqual([]);
    const toNobody = route({ route: [{ destination: { host: 'nobody' } }] });
    expect(saidOf(...objects, toNobody)).toHaveLength(1);
  });

  test('is one of several ways in: a gateway app that takes the metadata of its claim is refused', () => {
    const careless = JSON.parse(
      JSON.stringify(objects).replaceAll('"REFUSED_METADATA"', '"OTHER"'),
    ) as typeof objects;
    expect(saidOf(...careless)).toEqual([
      `own: VirtualService shop/open lets clients of gateways of others set the header x-user at open.shop.svc.cluster.local, which ${setsIt}; ${removed}`,
      ...[
        ['catalog', 'http-gateway'],
        ['open', 'gateway'],
      ].map(
        ([name, container]) =>
          `own: Deployment shop/${name}: clients of container ${container} may set x-user, which ${setsIt}; fix: pass the claim on with \`jwt.claims\` of an HttpEdge, which removes the header everywhere else`,
      ),
    ]);
  });
});

test('an edge at gateways of the mesh without the RequestAuthentication of these is refused as well', () => {
  const own = rendered(edge).filter(({ kind }) => kind !== 'RequestAuthentication');
  expect([unreadTokens, claimedHeaders].flatMap((gate) => gate(renderedOf(own)).map(formatProblem))).toEqual([
    'own: AuthorizationPolicy demo-ingress/edge.shop asks for tokens, but no RequestAuthentication reads them at Deployment demo-ingress/demo-ingress: there no request has one; received ["request.auth.claims[iss]","requestPrincipals","request.auth.audiences"]; fix: add one for these pods, or ask for something else',
    "own: VirtualService shop/edge lets clients of Gateway shop/edge set the header x-user, which Deployment shop/edge passes on as a claim that no RequestAuthentication sets; fix: remove it in every HTTP route (headers.request.remove), or have a RequestAuthentication of the gateway's pods set it",
  ]);
});
