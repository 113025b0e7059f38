import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { labelManaged } from '../kube/kube-object.ts';
import { makeCertificate } from '../testing/certificates.ts';
import { fine, names, object, OnExisting } from '../testing/existing/on-existing.ts';

const selector = { app: 'front' };
const ingress = { namespace: 'gateways', serviceAccount: 'front', selector, service: 'front' };
let on: OnExisting;
beforeAll(async () => {
  on = await OnExisting.start((await makeCertificate({ name: 'common' })).certificate);
});
afterAll(() => on.stop());
beforeEach(() => {
  on.renew();
  for (const name of names) {
    for (const kind of ['Service', 'ServiceAccount'])
      on.store(name, object('v1', kind, { name: 'front', namespace: 'gateways' }));
    const labels = { ...selector, istio: 'ingress' };
    const spec = { serviceAccountName: 'front' };
    on.store(name, object('v1', 'Pod', { name: 'front-1', namespace: 'gateways', labels }, { spec }));
  }
});

const gateway = (name: string, namespace: string, hosts: readonly string[], other: object = {}) => {
  const server = { hosts, port: { number: 80 }, ...other };
  const spec = { selector: { istio: 'ingress' }, servers: [server], ...other };
  return object('networking.istio.io/v1', 'Gateway', { name, namespace }, { spec });
};
const route = (name: string, gateways: readonly string[], hosts: readonly string[]) =>
  object(
    'networking.istio.io/v1',
    'VirtualService',
    { name, namespace: 'web' },
    { spec: { gateways, hosts } },
  );
const edge = labelManaged(gateway('edge', 'shop', ['api.example']), 'shop');
const said = () => on.said({ ingress }, { objects: [edge] });

describe('at gateways that edges join', () => {
  test('a host that others serve is refused, whether a Gateway or a route of theirs has it', async () => {
    on.store('east', gateway('exact', 'web', ['web/API.example']));
    on.store('west', gateway('all', 'gateways', ['*']));
    on.store('west', route('api', ['gateways/all'], ['api.example']));
    const what =
      "others serve its host api.example at the gateways that it joins: which of the two gets a request is Istio's choice, by age";
    const fix = 'fix: declare another host in hosts of the edge, or have its owners give that one up';
    expect(await said()).toBe(
      [
        `east: Gateway shop/edge: ${what}; received "Gateway web/exact"; ${fix}`,
        `west: Gateway shop/edge: ${what}; received "VirtualService web/api"; ${fix}`,
      ].join('\n'),
    );
  });

  test('a host of others that covers that of an edge is named, as it loses requests', async () => {
    for (const one of [
      gateway('all', 'web', ['*']),
      gateway('secure', 'web', ['*.example'], { tls: { mode: 'SIMPLE' } }),
      route('wild', ['all'], ['*.example', '*.shop.example']),
    ])
      on.store('east', one);
    expect(await said()).toBe(fine);
    const lost = 'serves *.example: requests for api.example go to Gateway shop/edge from now on';
    expect(on.warnings.toSorted()).toEqual([
      `cluster east: Gateway web/secure of others ${lost}`,
      `cluster east: VirtualService web/wild of others ${lost}`,
    ]);
  });

  test('what others have at other gateways, within the mesh, and what the mesh has is none of this', async () => {
    for (const one of [
      gateway('elsewhere', 'web', ['api.example'], { selector: { istio: 'public' } }),
      gateway('all', 'web', ['*']),
      route('inside', ['mesh'], ['api.example']),
      route('elsewhere', ['elsewhere', 'gateways/all'], ['api.example']),
      edge,
    ])
      on.store('east', one);
    expect(await said()).toBe(fine);
    expect(on.warnings).toEqual([]);
  });

  test('policies of others that decide there are named, others are not', async () => {
    const policy = (kind: string, namespace: string, name: string, spec: object) =>
      object('security.istio.io/v1', kind, { name, namespace }, { spec });
    const at = { selector: { matchLabels: selector } };
    for (const one of [
      policy('AuthorizationPolicy', 'gateways', 'allow', { ...at }),
      policy('AuthorizationPolicy', 'gateways', 'deny', { ...at, action: 'DENY', rules: [{}] }),
      policy('AuthorizationPolicy', 'gateways', 'ask', { ...at, action: 'CUSTOM', rules: [{}] }),
      policy('AuthorizationPolicy', 'gateways', 'audit', { ...at, action: 'AUDIT', rules: [{}] }),
      policy('AuthorizationPolicy', 'gateways', 'other', { selector: { matchLabels: { app: 'web' } } }),
      policy('AuthorizationPolicy', 'gateways', 'waypoint', { targetRefs: [{ kind: 'Gateway' }] }),
      policy('RequestAuthentication', 'istio-system', 'tokens', {}),
      policy('RequestAuthentication', 'web', 'tokens', {}),
    ])
      on.store('west', one);
    expect(await said()).toBe(fine);
    const line = (name: string, effect: string) =>
      `cluster west: ${name} of others ${effect}, before edges are asked`;
    expect(on.warnings.toSorted()).toEqual([
      line('AuthorizationPolicy gateways/allow', 'refuses requests that no ALLOW policy lets in'),
      line('AuthorizationPolicy gateways/ask', 'has an authorizer of others decide requests'),
      line('AuthorizationPolicy gateways/deny', 'may refuse requests'),
      line(
        'RequestAuthentication istio-system/tokens',
        'refuses requests with tokens that it does not take, and may keep the others',
      ),
    ]);
  });
});
