import { describe, expect, test } from '@jest/globals';
import { formatProblem } from '../../core/problem.ts';
import type { KubernetesObject } from '../model/mesh-model.ts';
import { objectOf, renderedOf } from '../testing/rendered.ts';
import { claimedHeaders } from './claims.ts';

const edge = { app: 'edge' };
const open = { app: 'open' };
const pods = (labels: object, containers: readonly object[] = [], namespace = 'shop') =>
  objectOf(
    'apps/v1',
    'Deployment',
    { template: { metadata: { labels }, spec: { containers } } },
    {
      name: `pods-${Object.values(labels).join()}`,
      namespace,
    },
  );
const tokens = (spec: object, metadata: object = {}) =>
  objectOf('security.istio.io/v1', 'RequestAuthentication', spec, { name: 'tokens', ...metadata });
const writes = (...headers: string[]) => ({
  jwtRules: [{ outputClaimToHeaders: headers.map((header) => ({ header, claim: 'sub' })) }],
});
const of = (matchLabels: object) => ({ selector: { matchLabels } });
const gateway = (selector: object, name = 'open') =>
  objectOf('networking.istio.io/v1', 'Gateway', { selector, servers: [] }, { name });
const routes = (spec: object) =>
  objectOf('networking.istio.io/v1', 'VirtualService', { gateways: ['open'], ...spec });
const removing = (...remove: string[]) => ({ headers: { request: { remove } } });

const ofEdge = [pods(edge), gateway(edge, 'edge')];
const sound = [...ofEdge, tokens({ ...of(edge), ...writes('X-User') }), pods(open), gateway(open)];
const problemsOf = (...objects: KubernetesObject[]) => claimedHeaders(renderedOf(objects)).map(formatProblem);
const letsIn = (header = 'x-user', name = 'shop/open') =>
  `own: VirtualService shop/one lets clients of Gateway ${name} set the header ${header}, which carries a claim that is set by RequestAuthentication shop/tokens; ` +
  `fix: remove it in every HTTP route (headers.request.remove), or have a RequestAuthentication of the gateway's pods set it`;

describe('routes from gateways', () => {
  test.each([
    { http: [{}] },
    { http: [removing('x-user'), {}] },
    { http: [removing('x-other')] },
    { http: [{ headers: { response: { remove: ['x-user'] } } }] },
    // The header is within what is not read.
    { http: [removing('x-user')], tls: [{}] },
    { http: [removing('x-user')], tcp: [{}] },
    { http: [{}], gateways: ['shop/open'] },
    { http: [{}], gateways: ['mesh', 'open'] },
  ])('let a header in: %j', (spec) => {
    expect(problemsOf(...sound, routes(spec))).toEqual([letsIn()]);
  });

  test.each([
    { http: [removing('x-user')] },
    { http: [removing('a', 'X-USER'), removing('x-user')] },
    { http: [{}], gateways: ['mesh'] },
    { http: [{}], gateways: [] },
    { http: [{}], gateways: ['elsewhere/open'] },
  ])('do not: %j', (spec) => {
    expect(problemsOf(...sound, routes(spec))).toEqual([]);
  });

  test('mesh is no Gateway, whatever one is called', () => {
    expect(problemsOf(...sound, gateway(open, 'mesh'), routes({ http: [{}], gateways: ['mesh'] }))).toEqual(
      [],
    );
  });

  test('a payload is a claim, too, and each header is told', () => {
    const payload = tokens({
      ...of(edge),
      jwtRules: [{ outputPayloadToHeader: 'X-Payload' }, ...writes('x-user').jwtRules],
    });
    expect(problemsOf(...[...ofEdge, payload, pods(open), gateway(open)], routes({ http: [{}] }))).toEqual([
      letsIn('x-payload'),
      letsIn('x-user'),
    ]);
  });

  test('what a gateway of no pods lets in reaches nobody', () => {
    expect(
      problemsOf(...sound, gateway({ app: 'none' }, 'other'), routes({ http: [{}], gateways: ['other'] })),
    ).toEqual([]);
  });

  test.each<[string, KubernetesObject]>([
    ['of the same pods', tokens({ ...of(open), ...writes('x-user') }, { name: 'own' })],
    ['of all pods of the namespace', tokens(writes('x-user'), { name: 'own' })],
    ['of all pods', tokens(writes('x-user'), { name: 'own', namespace: 'istio-system' })],
  ])('a RequestAuthentication %s takes it away', (_, own) => {
    expect(problemsOf(...sound, own, routes({ http: [{}] }))).toEqual([]);
  });

  test.each<[string, KubernetesObject]>([
    ['of other pods', tokens({ ...of({ app: 'other' }), ...writes('x-user') }, { name: 'own' })],
    ['of another namespace', tokens(writes('x-user'), { name: 'own', namespace: 'elsewhere' })],
    ['that writes another header', tokens({ ...of(open), jwtRules: [{}] }, { name: 'own' })],
    ['of a target', tokens({ targetRefs: [{ name: 'open' }], ...writes('x-user') }, { name: 'own' })],
  ])('one %s does not', (_, own) => {
    expect(problemsOf(...sound, own, routes({ http: [{}] }))).toEqual([letsIn()]);
  });

  test('one of two kinds of pods behind a gateway is enough', () => {
    const both = { tier: 'edge' };
    const spec = [
      pods({ ...edge, ...both }),
      tokens({ ...of(edge), ...writes('x-user') }),
      pods({ ...open, ...both }),
    ];
    expect(problemsOf(...spec, gateway(both), routes({ http: [{}] }))).toEqual([letsIn()]);
    expect(problemsOf(...spec, gateway({ ...edge, ...both }), routes({ http: [{}] }))).toEqual([]);
  });

  test('no claim, no problem', () => {
    expect(problemsOf(pods(open), gateway(open), routes({ http: [{}] }))).toEqual([]);
  });

  test('what a claim is in one cluster, no client of another may say', () => {
    const [authenticated, others] = [sound.slice(0, 3), [...sound.slice(3), routes({ http: [{}] })]];
    expect(claimedHeaders(renderedOf(authenticated, others)).map(formatProblem)).toEqual([letsIn()]);
    expect(claimedHeaders(renderedOf(others, authenticated)).map(formatProblem)).toEqual([letsIn()]);
  });
});

describe('containers of the gateway app', () => {
  const container = (name: string, env: Readonly<Record<string, string>>) => ({
    name,
    env: Object.entries(env).map(([variable, value]) => ({ name: variable, value })),
  });
  const said = (name: string, header = 'x-user') =>
    `own: Deployment shop/pods-open: clients of container ${name} may set ${header}, which carries a claim that is set by RequestAuthentication shop/tokens; ` +
    'fix: pass the claim on with `jwt.claims` of an HttpEdge, which removes the header everywhere else';
  const problemsWith = (...containers: object[]) => problemsOf(...sound.slice(0, 3), pods(open, containers));

  test('refuse what is a claim, or pass it on', () => {
    for (const name of ['CLAIM_HEADERS', 'REFUSED_METADATA'])
      expect(problemsWith(container('gateway', { UPSTREAMS: '[]', [name]: 'x-a,x-user,x-b' }))).toEqual([]);
    expect(problemsWith(container('gateway', { UPSTREAMS: '[]', REFUSED_METADATA: 'x-users' }))).toEqual([
      said('gateway'),
    ]);
    expect(problemsWith(container('gateway', { UPSTREAMS: '[]', OTHER: 'x-user' }))).toEqual([
      said('gateway'),
    ]);
  });

  test('each by itself, and no others', () => {
    expect(
      problemsWith(
        container('app', { PORT: '80' }),
        container('one', { UPSTREAMS: '[]' }),
        container('two', { UPSTREAMS: '[]', REFUSED_METADATA: 'x-user' }),
      ),
    ).toEqual([said('one')]);
  });
});
