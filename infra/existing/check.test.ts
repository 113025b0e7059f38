import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { planMesh } from '../plan/plan.ts';
import { makeCertificate } from '../testing/certificates.ts';
import { modelOnExisting } from '../testing/models.ts';
import { fine, names, namespaceOf, object, OnExisting } from '../testing/existing/on-existing.ts';
import { problemOf } from '../testing/problems.ts';
import { withIssuer } from '../trust/issuer.ts';

let on: OnExisting;
let root: string;
let otherRoot: string;
beforeAll(async () => {
  root = (await makeCertificate({ name: 'common' })).certificate;
  otherRoot = (await makeCertificate({ name: 'other' })).certificate;
  on = await OnExisting.start(root);
});
afterAll(() => on.stop());
beforeEach(() => {
  on.renew();
});

describe('an Istio of others', () => {
  test('as declared, by its tag or its revision, is taken as it is: nothing is said, written, or made', async () => {
    expect(await on.said()).toBe(fine);
    expect(await on.said({ revision: '1-31-others' })).toBe(fine);
    expect(on.warnings).toEqual([]);
    const writes = Object.values(on.apis).flatMap((api) =>
      api.requests.filter(({ method, path }) => method !== 'GET' && !path.endsWith('reviews')),
    );
    expect(writes).toEqual([]);
  });

  test('no Secret is read of it', async () => {
    await on.said();
    for (const api of Object.values(on.apis))
      expect(api.requests.filter(({ path }) => path.includes('/secrets'))).toEqual([]);
  });

  test('that injects for no declared revision or tag', async () => {
    const none = (cluster: string, received: string) =>
      `${cluster}: Istio: no injector has the declared revision or tag: pods would start without a proxy; received "${received}"; `;
    expect(await on.said({ revision: 'default' })).toBe(
      names
        .map(
          (name) =>
            `${none(name, 'default')}allowed 1-31-others, prod; fix: declare one of these in existing({ istio: { revision } })`,
        )
        .join('\n'),
    );
    on.apis.west.objects.clear();
    expect(await on.said()).toBe(
      `${none('west', 'prod')}fix: install Istio there first, or declare a platform that brings its own`,
    );
  });

  test('whose injector is left of an installation that is gone', async () => {
    const at = { name: 'istiod-1-31-others', namespace: 'istio-system' };
    await on.apis.east.client.remove(object('apps/v1', 'Deployment', at));
    expect(await on.said()).toBe(
      'east: Istio: its injector of revision 1-31-others is there, but Deployment istio-system/istiod-1-31-others is not: no pod would get a proxy that works; fix: repair that installation of Istio, or declare another revision in existing({ istio })',
    );
  });

  test('that runs outside of the clusters is taken, with a word on what was not compared', async () => {
    for (const name of ['istio-revision-tag-prod', 'istio-sidecar-injector-1-31-others'])
      on.store(
        'east',
        object(
          'admissionregistration.k8s.io/v1',
          'MutatingWebhookConfiguration',
          { name, labels: { 'istio.io/rev': '1-31-others', 'istio.io/tag': 'prod' } },
          {
            webhooks: [
              {
                name: 'rev.object.sidecar-injector.istio.io',
                clientConfig: { url: 'https://istiod.example' },
              },
            ],
          },
        ),
      );
    expect(await on.said()).toBe(fine);
    expect(on.warnings).toEqual([
      'cluster east: istiod of revision 1-31-others runs outside of it: its version, mesh configuration and what it knows of other clusters were not compared',
    ]);
  });

  test('of a version that nobody tried', async () => {
    on.addIstio('east', { image: 'registry.example:5000/istio/pilot:1.27.1@sha256:abc' });
    on.addIstio('west', { image: 'docker.io/istio/pilot:1.32.0' });
    const fix =
      'fix: upgrade that Istio, or declare a revision or tag of a supported one in existing({ istio: { revision } })';
    const unlike = (cluster: string, what: string, version: string) =>
      `${cluster}: Istio: its version is ${what} supported Istio: nobody has tried the mesh's configuration with it; received "${version}"; allowed 1.29 to 1.31; ${fix}`;
    expect(await on.said()).toBe(
      `${unlike('east', 'older than the oldest', '1.27.1')}\n${unlike('west', 'newer than the newest', '1.32.0')}`,
    );
  });

  test('of another trust domain, network and cluster name: all at once', async () => {
    on.addIstio('east', {
      clusterId: 'prod-1',
      network: 'vpc-1',
      meshConfig: { trustDomain: 'corp.example' },
    });
    expect(await on.said()).toBe(
      [
        'east: Istio: has another trust domain than the mesh declares: policies would name identities that nobody has, and every call would be refused; received "corp.example"; allowed cluster.local; fix: declare trustDomain: \'corp.example\'',
        'east: Istio: has its pods in another network than the mesh declares: calls between clusters would be sent to addresses that lead nowhere; received "vpc-1"; allowed net-east; fix: declare network: \'vpc-1\' for cluster east',
        'east: Istio: knows its cluster by another name than the mesh declares: rules that send calls to a cluster would match no pod; received "prod-1"; allowed east; fix: name the cluster prod-1 in clusters of the declaration, or have its owners set values.global.multiCluster.clusterName',
        'east: east-west gateway: no Service with the label topology.istio.io/network of its network has port 15443: calls from other networks would not get into net-east; received "none"; allowed a Service of an east-west gateway with the label topology.istio.io/network=net-east and port 15443; fix: have the owners of Istio install an east-west gateway in east and expose services by it (AUTO_PASSTHROUGH)',
      ].join('\n'),
    );
  });

  test('that names no network', async () => {
    on.store('west', namespaceOf('istio-system'));
    expect(await on.said()).toBe(
      'west: Istio: has its pods in another network than the mesh declares: calls between clusters would be sent to addresses that lead nowhere; received "none"; allowed net-west; fix: have its owners name the network: the label topology.istio.io/network=net-west of the root namespace, and values.global.network',
    );
  });

  test('without a CNI agent, where one is declared', async () => {
    on.addIstio('east', { values: { pilot: { cni: { enabled: false } } } });
    expect(await on.said()).toBe(
      'east: Istio: has no CNI agent: each pod gets an init container that changes the network, which namespaces of the mesh do not admit; fix: have its owners install the agent, or declare existing({ istio: { cni: false } })',
    );
    expect(await on.said({ cni: false })).toBe(fine);
  });
});

describe('between clusters', () => {
  test('a control plane that does not know another cluster, or does not read it', async () => {
    on.addIstio('east', { knows: { east: 'synced' } });
    on.addIstio('west', { knows: { east: 'timeout', west: 'synced' } });
    expect(await on.said()).toBe(
      [
        'east: Istio: does not know cluster west: calls would never get to services that run there alone, and no other cluster would take over; fix: have its owners give it a remote secret: istioctl create-remote-secret --name west, applied in east',
        'west: Istio: does not read cluster east (timeout): it would not know its pods; fix: have its owners renew the remote secret of east, and let istiod reach its API server',
      ].join('\n'),
    );
  });

  test('no common root of trust', async () => {
    on.addIstio('west', { root: otherRoot });
    expect(await on.said()).toMatch(
      /^west: Istio: trusts no root CA that east trusts: every call between the two would fail in its TLS handshake; received "SHA-256 [0-9A-F:]{23}"; allowed SHA-256 [0-9A-F:]{23}; fix: have its owners sign the CAs of both with a common root \(https:\/\/istio\.io\/\S+\)$/,
    );
    on.addIstio('west', { root: root + otherRoot });
    expect(await on.said()).toBe(fine);
  });

  test('a gateway without an address, and one that is not reached', async () => {
    on.addIstio('east', { eastWest: [] });
    expect(await on.said()).toBe(
      'east: east-west gateway: the status of Service edge-of-others/crossing names no address: calls from other networks would not get into net-east; fix: check the events of that Service for what its load balancer waits for',
    );
    on.addIstio('east', { eastWest: ['192.0.2.77'] });
    expect(await on.said()).toBe(
      'from west to east: east-west gateway: not reached from inside west: connection refused; received "192.0.2.77:15443"; fix: let the pods of west connect to 192.0.2.77:15443 over TCP, or have the owners of that gateway correct its address',
    );
  });

  test('an address that the mesh configuration names is tried in the place of the Service', async () => {
    const gateways = [{ address: '192.0.2.78', port: 31443 }];
    on.addIstio('east', { eastWest: [], meshNetworks: { networks: { 'net-east': { gateways } } } });
    expect(await on.said()).toBe(
      'from west to east: east-west gateway: not reached from inside west: connection refused; received "192.0.2.78:31443"; fix: let the pods of west connect to 192.0.2.78:31443 over TCP, or have the owners of that gateway correct its address',
    );
  });
});

test('an issuer for CAs is refused, as those are of others', async () => {
  const plan = planMesh(modelOnExisting(names), []);
  const issuer = { name: 'mesh-ca', kind: 'ClusterIssuer', group: 'cert-manager.io' };
  const work = Promise.resolve().then(() => withIssuer(plan, issuer));
  expect(await problemOf(work)).toEqual({
    exitCode: 2,
    message:
      'trust.issuer: has no effect on an Istio of others, whose CAs its owners choose; received "ClusterIssuer mesh-ca"; fix: leave it out of the stack file',
  });
});
