import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { labelManaged } from '../kube/kube-object.ts';
import { makeCertificate } from '../testing/certificates.ts';
import { fine, namespaceOf, object, OnExisting, workload } from '../testing/existing/on-existing.ts';

let on: OnExisting;
beforeAll(async () => {
  on = await OnExisting.start((await makeCertificate({ name: 'common' })).certificate);
});
afterAll(() => on.stop());
beforeEach(() => {
  on.renew();
});

describe('of an installation', () => {
  test('that has proxies call in plaintext', async () => {
    on.addIstio('east', { meshConfig: { enableAutoMtls: false } });
    expect(await on.said()).toBe(
      'east: Istio: has proxies call in plaintext where no rule says otherwise: pods of the mesh take mutual TLS alone, and every call would fail; received "meshConfig.enableAutoMtls: false"; allowed true, which is its default; fix: have its owners take enableAutoMtls out of meshConfig',
    );
    on.addIstio('east', { meshConfig: { enableAutoMtls: true } });
    expect(await on.said()).toBe(fine);
  });

  test('whose root namespace is another', async () => {
    on.addIstio('west', { meshConfig: { rootNamespace: 'istio-config' } });
    expect(await on.said()).toBe(
      'west: Istio: has another root namespace than the mesh declares: policies there that reach pods of the mesh would go unseen; received "istio-config"; allowed istio-system; fix: declare existing({ istio: { rootNamespace: \'istio-config\' } })',
    );
  });

  test('whose version nothing tells is taken, with a word', async () => {
    on.addIstio('east', { image: 'registry.example/istio/pilot@sha256:abc' });
    expect(await on.said()).toBe(fine);
    expect(on.warnings).toEqual([
      'cluster east: the image of istiod tells no version (registry.example/istio/pilot@sha256:abc), nor does its label app.kubernetes.io/version: whether it is one of 1.29 to 1.31 was not compared',
    ]);
  });

  test.each(['true', 'T', '1'])(
    'that gives gateways no Gateway of another namespace (%s), which edges have',
    async (value) => {
      on.addIstio('east', { env: { PILOT_SCOPE_GATEWAY_TO_NAMESPACE: value } });
      on.addIstio('west', { env: { PILOT_SCOPE_GATEWAY_TO_NAMESPACE: 'false' } });
      const gateway = (namespace: string) =>
        object('networking.istio.io/v1', 'Gateway', { name: 'edge', namespace }, { spec: { selector } });
      const selector = { istio: 'shop-ingress' };
      const template = { metadata: { labels: selector } };
      const at = { name: 'shop-ingress', namespace: 'shop-ingress' };
      const own = object('apps/v1', 'Deployment', at, { spec: { template } });
      expect(await on.said({}, { objects: [own, gateway('shop'), gateway('shop-ingress')] })).toBe(
        `east: Istio: gives gateways the Gateways of their own namespace alone: no request would reach Gateway shop/edge; received "PILOT_SCOPE_GATEWAY_TO_NAMESPACE=${value}"; allowed false, which is its default; fix: have its owners take PILOT_SCOPE_GATEWAY_TO_NAMESPACE out of the environment of istiod`,
      );
      expect(await on.said()).toBe(fine);
    },
  );

  test('that knows its cluster by a name that a declaration cannot have', async () => {
    on.addIstio('east', { clusterId: 'Kubernetes' });
    expect(await on.said()).toBe(
      'east: Istio: knows its cluster by another name than the mesh declares: rules that send calls to a cluster would match no pod; received "Kubernetes"; allowed east; fix: have its owners set values.global.multiCluster.clusterName',
    );
  });

  test('in a cluster that is the only one: neither name nor network matters', async () => {
    const knows = { Kubernetes: 'synced' };
    on.addIstio('east', { clusterId: 'Kubernetes', knows, eastWest: 'none' });
    on.store('east', namespaceOf('istio-system'));
    expect(await on.said({}, { clusters: ['east'] })).toBe(fine);
    expect(on.warnings).toEqual([]);
  });
});

describe('of a gateway between networks', () => {
  test('by addresses that its Service is given: they are tried', async () => {
    on.addIstio('east', { eastWest: [], eastWestSpec: { externalIPs: ['192.0.2.9'] } });
    expect(await on.said()).toBe(fine);
    on.addIstio('east', { eastWest: [], eastWestSpec: { externalIPs: ['192.0.2.77'] } });
    expect(await on.said()).toBe(
      'from west to east: east-west gateway: not reached from inside west: connection refused; received "192.0.2.77:15443"; fix: let the pods of west connect to 192.0.2.77:15443 over TCP, or have the owners of that gateway correct its address',
    );
  });

  test.each([
    [
      'of nodes',
      {
        eastWestSpec: { type: 'NodePort' },
        eastWestAnnotations: { 'traffic.istio.io/nodeSelector': '{"edge":"yes"}' },
      },
      'its addresses are those of nodes (traffic.istio.io/nodeSelector)',
    ],
    [
      'of a service that the mesh configuration names',
      {
        meshNetworks: {
          networks: {
            'net-east': {
              gateways: [{ registryServiceName: 'crossing.edge.svc.cluster.local', port: 15443 }],
            },
          },
        },
      },
      'meshNetworks names it by a service (crossing.edge.svc.cluster.local)',
    ],
  ])('by addresses %s: it is taken, with a word', async (_, differs, because) => {
    on.addIstio('east', { eastWest: [], ...differs });
    expect(await on.said()).toBe(fine);
    expect(on.warnings).toEqual([
      `cluster east: whether its east-west gateway is reached from others was not tried: ${because}`,
    ]);
  });

  test('by ports of nodes, without the word by which Istio looks for their addresses: it has none', async () => {
    on.addIstio('east', { eastWest: [], eastWestSpec: { type: 'NodePort' } });
    expect(await on.said()).toBe(
      'east: east-west gateway: the status of Service edge-of-others/crossing names no address: calls from other networks would not get into net-east; fix: check the events of that Service for what its load balancer waits for',
    );
  });
});

describe('of a mesh that is named the same, in the same namespaces', () => {
  const web = (name = 'web') =>
    labelManaged(object('apps/v1', 'Deployment', { name, namespace: 'shop' }), 'shop');
  beforeEach(() => {
    on.store('west', labelManaged(namespaceOf('shop'), 'shop'));
  });

  test('and has none of the workloads that are declared: it is refused, unless an earlier up of the checkout was there', async () => {
    for (const name of ['web', 'pay', 'mail', 'news']) on.store('west', web(name));
    expect(await on.said()).toBe(
      'west: mesh shop: runs already in namespaces that are declared, with none of the workloads that are declared, and no earlier up of this checkout wrote there: if it is another mesh of this name, up would delete it; received "Deployment shop/mail, Deployment shop/news, Deployment shop/pay and 1 more"; fix: rename one of the two, or declare other namespaces; if it is the same mesh, delete these workloads first',
    );
    expect(await on.said({}, { earlier: ['shop'] })).toBe(fine);
  });

  test('and has one that is declared: it is taken for the mesh itself, which a new checkout has to go on with', async () => {
    on.store('west', web());
    on.store('west', workload('shop'));
    expect(await on.said()).toBe(fine);
  });

  test('in one more namespace than earlier ups knew: it is refused', async () => {
    on.store('west', workload('shop'));
    on.store('west', namespaceOf('team-a'));
    on.store('east', namespaceOf('team-a'));
    const applied = { managedFields: [{ manager: 'meshwright', operation: 'Apply' }] };
    const at = { namespace: 'team-a', ...applied };
    on.store('west', labelManaged(object('apps/v1', 'Deployment', { name: 'pay', ...at }), 'shop'));
    // A copy with its labels, which others made.
    const copy = { name: 'copy', namespace: 'team-a' };
    on.store('west', labelManaged(object('apps/v1', 'Deployment', copy), 'shop'));
    const sharedNamespaces = ['team-a'];
    expect(await on.said({ sharedNamespaces }, { earlier: ['shop'] })).toBe(
      'west: mesh shop: runs already in namespaces that are declared, with none of the workloads that are declared, and no earlier up of this checkout wrote there: if it is another mesh of this name, up would delete it; received "Deployment team-a/pay"; fix: rename one of the two, or declare other namespaces; if it is the same mesh, delete these workloads first',
    );
    expect(await on.said({ sharedNamespaces })).toBe(fine);
  });
});
