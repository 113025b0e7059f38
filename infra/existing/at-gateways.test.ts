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
    on.store(name, object('v1', 'ServiceAccount', { name: 'front', namespace: 'gateways' }));
    on.store(name, frontWith(80, 443));
    const labels = { ...selector, istio: 'ingress' };
    const spec = { serviceAccountName: 'front' };
    on.store(name, object('v1', 'Pod', { name: 'front-1', namespace: 'gateways', labels }, { spec }));
  }
});

const frontWith = (...ports: readonly number[]) =>
  object(
    'v1',
    'Service',
    { name: 'front', namespace: 'gateways' },
    { spec: { ports: ports.map((port) => ({ port })) } },
  );
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

describe('the Service of the gateways', () => {
  const secure = labelManaged(
    gateway('secure', 'shop', ['id.example'], { port: { number: 443 }, tls: { mode: 'SIMPLE' } }),
    'shop',
  );
  const fix =
    'fix: have its owners add what lacks, or name another Service of these gateways; port 443 is for edges with tls';

  test('has to have each port of the edges', async () => {
    on.store('east', frontWith(80));
    on.store('west', frontWith(15021));
    expect(await on.said({ ingress }, { objects: [edge, secure] })).toBe(
      [
        `east: platform.ingress.service: Service gateways/front does not have every port of the edges: no request to 443 would get to Gateway shop/secure; received "80"; allowed 443 among its ports; ${fix}`,
        `west: platform.ingress.service: Service gateways/front does not have every port of the edges: no request to 80, 443 would get to Gateway shop/edge, Gateway shop/secure; received "15021"; allowed 80, 443 among its ports; ${fix}`,
      ].join('\n'),
    );
  });

  test('needs no port that no edge uses', async () => {
    on.store('east', frontWith(80));
    on.store('west', frontWith(443, 80));
    expect(await said()).toBe(fine);
  });
});

describe('gateways in other namespaces that the selector is for, too', () => {
  const pod = (name: string, namespace: string, args: readonly string[], labels: object = {}) =>
    object(
      'v1',
      'Pod',
      { name, namespace, labels: { ...selector, ...labels } },
      { spec: { containers: [{ name: 'istio-proxy', args: ['proxy', ...args] }] } },
    );

  test('are named, with what becomes of requests there; sidecars and pods that go are none', async () => {
    on.store('east', pod('front-1', 'web', ['router']));
    on.store('east', pod('beside-1', 'web', ['sidecar']));
    on.store('east', { ...pod('done-1', 'web', ['router']), status: { phase: 'Succeeded' } });
    for (const number of [1, 2, 3, 4]) on.store('west', pod(`front-${number}`, 'labs', ['router']));
    expect(await said()).toBe(fine);
    const line = (cluster: string, pods: string) =>
      `cluster ${cluster}: the selector of platform.ingress also selects gateways outside of namespace gateways: ${pods}: they answer requests for hosts of edges with 404 from now on; declare labels that only those of gateways have`;
    expect(on.warnings.toSorted()).toEqual([
      line('east', 'web/front-1'),
      line('west', 'labs/front-1, labs/front-2, labs/front-3 and 1 more'),
    ]);
  });

  test('that serve the host of an edge lose its requests: refused', async () => {
    on.store('east', pod('front-1', 'web', ['router'], { tier: 'internal' }));
    const theirs = gateway('internal', 'web', ['api.example']);
    on.store('east', { ...theirs, spec: { ...(theirs['spec'] as object), selector: { tier: 'internal' } } });
    expect(await said()).toBe(
      'east: Gateway shop/edge: others serve its host api.example at the gateways that it joins: which of the two gets a request is Istio\'s choice, by age; received "Gateway web/internal"; fix: declare another host in hosts of the edge, or have its owners give that one up',
    );
  });
});
