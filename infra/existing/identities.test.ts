import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { makeCertificate } from '../testing/certificates.ts';
import type { ForeignIstio } from '../testing/existing/foreign-istio.ts';
import { fine, namespaceOf, OnExisting } from '../testing/existing/on-existing.ts';

let on: OnExisting;
beforeAll(async () => {
  on = await OnExisting.start((await makeCertificate({ name: 'common' })).certificate);
});
afterAll(() => on.stop());
beforeEach(() => {
  on.renew();
});

describe('what lets in identities that the mesh does not declare is said, with what follows from it', () => {
  test.each<readonly [string, Partial<ForeignIstio>, string | undefined]>([
    [
      'other trust domains that count as its own',
      { meshConfig: { trustDomainAliases: ['old.example', 'cluster.local', 'older.example'] } },
      'cluster east: Istio takes identities of old.example, older.example for those of cluster.local (meshConfig.trustDomainAliases): whoever has a certificate of such a trust domain, with the namespace and service account of a caller, has its rights; have its owners take aliases away that are no longer in use',
    ],
    ['its own name as an alias', { meshConfig: { trustDomainAliases: ['cluster.local'] } }, undefined],
    [
      'a second mesh configuration',
      { env: { SHARED_MESH_CONFIG: 'istio-user' } },
      'cluster east: istiod reads mesh configuration from ConfigMap istio-system/istio-user as well (SHARED_MESH_CONFIG), which was not compared: a trust domain, aliases or settings there may differ from what the mesh declares and needs',
    ],
    [
      'proxies that do not look at trust domains',
      { env: { PILOT_SKIP_VALIDATE_TRUST_DOMAIN: 'true' } },
      'cluster east: istiod has proxies take certificates of any trust domain (PILOT_SKIP_VALIDATE_TRUST_DOMAIN): policies alone keep out workloads of others with a common root; have its owners take it away',
    ],
    ['proxies that do', { env: { PILOT_SKIP_VALIDATE_TRUST_DOMAIN: 'false' } }, undefined],
  ])('%s', async (_, istio, warning) => {
    on.addIstio('east', istio);
    expect(await on.said()).toBe(fine);
    expect(on.warnings).toEqual(warning === undefined ? [] : [warning]);
  });
});

describe('clusters that an istiod reads beside those of the mesh', () => {
  const stranger = (name: string, namespaces = 'shop') =>
    `cluster east: istiod also reads cluster ${name}, which the mesh does not declare: in namespaces ${namespaces} there, pods with the name of a service account of the mesh have its rights, and endpoints with the name of a service of the mesh get its calls; declare the cluster, or have these namespaces kept free in it`;

  test('are said one by one, with the namespaces of the mesh', async () => {
    on.store('east', namespaceOf('team-a'));
    on.store('west', namespaceOf('team-a'));
    on.addIstio('east', { knows: { south: 'timeout', east: 'synced', west: 'synced', north: 'synced' } });
    expect(await on.said({ sharedNamespaces: ['team-a'] })).toBe(fine);
    expect(on.warnings).toEqual([stranger('north', 'shop, team-a'), stranger('south', 'shop, team-a')]);
  });

  test('are said of a mesh of one cluster, too, whose own may be called otherwise', async () => {
    on.addIstio('east', { clusterId: 'Kubernetes', knows: { Kubernetes: 'synced', west: 'synced' } });
    expect(await on.said({}, { clusters: ['east'] })).toBe(fine);
    expect(on.warnings).toEqual([stranger('west')]);
  });

  test('are said not to have been seen where that is so', async () => {
    on.apis.east.run = () => ({ stdout: 'none of your business' });
    expect(await on.said({}, { clusters: ['east'] })).toBe(fine);
    expect(on.warnings).toEqual([
      'cluster east: whether istiod reads clusters that the mesh does not declare was not seen: its answer to /debug/clusterz cannot be read',
    ]);
  });
});

test('an empty trust domain or root namespace is the default of Istio', async () => {
  on.addIstio('east', { meshConfig: { trustDomain: '', rootNamespace: '' } });
  expect(await on.said()).toBe(fine);
});
