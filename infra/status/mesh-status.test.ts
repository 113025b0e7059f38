import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { collectStatus, isHealthy } from './mesh-status.ts';
import type { UnfinishedUp } from './mesh-status.ts';
import { grantAccess } from '../remote/remote-access.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import { readRemoteSecret, remoteSecret } from '../remote/remote-secret.ts';
import { KubeApi } from '../testing/kube-api.ts';
import { addControlPlane, addRemoteReader, tokenWith } from '../testing/control-plane.ts';
import type { ControlPlane } from '../testing/control-plane.ts';
import { modelOf } from '../testing/models.ts';
import { ensureTrust } from '../trust/folder.ts';
import { cacertsSecret } from '../trust/objects.ts';

let east: KubeApi;
let west: KubeApi;
let north: KubeApi;
let folder: string;
let notAfter: string;
let rootNotAfter: string;

const deployment = (namespace: string, name: string, replicas: number, ready = replicas) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name, namespace },
  spec: { replicas },
  status: { replicas, updatedReplicas: replicas, availableReplicas: ready, readyReplicas: ready },
});

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'status-'));
  [east, west, north] = (await Promise.all(['east', 'west', 'north'].map((name) => KubeApi.start(name)))) as [
    KubeApi,
    KubeApi,
    KubeApi,
  ];
  const trust = (await ensureTrust(folder, 'shop', ['east'], 'istio-system'))['east']!;
  notAfter = trust.notAfter.toISOString();
  rootNotAfter = new X509Certificate(trust.roots).validToDate.toISOString();
  for (const api of [east, west]) {
    api.put({
      ...cacertsSecret('shop', 'istio-system', trust),
      metadata: { name: 'cacerts', namespace: 'istio-system' },
    });
    for (const [namespace, name] of [
      ['istio-ingress', 'istio-ingressgateway'],
      ['istio-eastwest', 'istio-eastwestgateway'],
    ] as const) {
      api.put(deployment(namespace, name, 1));
      api.put({
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name, namespace },
        status: { loadBalancer: { ingress: [{ ip: '10.0.0.9' }] } },
      });
    }
    api.put(deployment('istio-system', 'istiod', 1));
    api.put(deployment('shop', 'catalog', 2));
    api.put(deployment('shop', 'inventory', 1));
    const conditions = [{ type: 'Ready', status: 'True' }];
    api.put({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1' }, status: { conditions } });
  }
  // A load balancer with a host name, as AWS makes them.
  for (const gateway of ['ingress', 'eastWest'] as const) {
    const { name, namespace } = modelOf(['north'])[gateway];
    const status = { loadBalancer: { ingress: [{ hostname: 'lb.north.example' }] } };
    north.put({ apiVersion: 'v1', kind: 'Service', metadata: { name, namespace }, status });
  }
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await Promise.all([east, west, north].map((api) => api.stop()));
});
let plane: Readonly<Record<'east' | 'west', ControlPlane>>;
beforeEach(async () => {
  plane = { east: addControlPlane(east), west: addControlPlane(west) };
  for (const api of [east, west]) addRemoteReader(api);
  await open(east, west);
  await open(west, east);
});

/** What `up` leaves: a remote secret with a token. */
async function open(reader: KubeApi, remote: KubeApi): Promise<void> {
  const secret = await grantAccess({
    mesh: 'shop',
    namespace: 'istio-system',
    reader: reader.client,
    remote: remote.client,
    server: remote.client.server,
    settings: { generation: 1, tokenDays: 30 },
    report: () => undefined,
  });
  reader.put({ ...secret, metadata: { ...secret.metadata } });
}

/** When the token of `reader` for `remote` ends. */
function end(reader: KubeApi, remote: 'east' | 'west'): string {
  const secret = reader.get(remoteSecret('shop', remote, 'istio-system', { server: '', ca: '', token: '' }));
  const expires = readRemoteSecret(remote, secret as unknown as KubeObject)?.claims?.expires ?? 0;
  return new Date(expires * 1000).toISOString();
}

const checked = '2030-01-01T00:00:00.000Z';
const collect = (ok = true, model = modelOf(['east', 'west']), unfinishedUp?: UnfinishedUp) =>
  collectStatus(model, {
    engine: 'apply',
    ...(unfinishedUp && { unfinishedUp }),
    access: {
      east: { kubeconfig: east.kubeconfig, context: 'east' },
      west: { kubeconfig: west.kubeconfig, context: 'west' },
      north: { kubeconfig: north.kubeconfig, context: 'north' },
    },
    probe: () => Promise.resolve({ ok, checked }),
  });

describe('collectStatus', () => {
  test('has exactly the shape of `status --json`', async () => {
    const remote = { istiod: 'synced', problem: null, warning: null, listsSecrets: 'all' };
    const cluster = (context: string) => ({
      context,
      ready: true,
      ingress: 'http://10.0.0.9:80',
      eastWest: '10.0.0.9:15443',
      nodes: 1,
      controlPlanes: [{ revision: 'default', ready: true, proxies: 0 }],
      certificateNotAfter: notAfter,
      trust: { state: 'generation 1, intermediate 1', rootNotAfter, warning: null },
      remotes:
        context === 'east'
          ? { west: { tokenNotAfter: end(east, 'west'), ...remote } }
          : { east: { tokenNotAfter: end(west, 'east'), ...remote } },
    });
    const status = await collect();
    expect(status).toEqual({
      engine: 'apply',
      clusters: { east: cluster('east'), west: cluster('west') },
      services: {
        catalog: { east: { desired: 2, ready: 2 }, west: { desired: 2, ready: 2 } },
        inventory: { west: { desired: 1, ready: 1 } },
      },
      rollouts: [],
      unfinishedUp: null,
      crossCluster: { ok: true, checked },
    });
    expect(isHealthy(status)).toBe(true);
  });

  test('counts the proxies of each control plane, and wants all that are declared', async () => {
    const pod = (name: string, revision: string | undefined, more: object = {}) => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        name,
        namespace: 'shop',
        labels: { 'service.istio.io/canonical-name': 'x' },
        ...(revision === undefined ? {} : { annotations: { 'istio.io/rev': revision } }),
        ...more,
      },
      status: { phase: name === 'ended' ? 'Succeeded' : 'Running' },
    });
    const gone = { deletionTimestamp: checked };
    const pods = [
      pod('a', 'default'),
      pod('b', '1-30'),
      pod('c', '1-30'),
      pod('leaving', '1-30', gone),
      pod('ended', '1-30'),
      pod('plain', undefined),
    ];
    for (const one of pods) east.put(one);
    const images = { hub: 'localhost/mesh', tag: '1' };
    const { clusters, ...rest } = modelOf(['east', 'west']);
    const canary = { revision: '1-30', name: 'istiod-1-30', ...images };
    const model = {
      ...rest,
      clusters: clusters.map((cluster) => ({
        ...cluster,
        controlPlanes: cluster.name === 'east' ? [...cluster.controlPlanes, canary] : cluster.controlPlanes,
      })),
    };
    const planes = (ready: boolean) => [
      { revision: 'default', ready: true, proxies: 1 },
      { revision: '1-30', ready, proxies: 2 },
    ];
    expect((await collect(true, model)).clusters['east']).toMatchObject({
      ready: false,
      controlPlanes: planes(false),
    });
    east.put(deployment('istio-system', 'istiod-1-30', 1));
    expect((await collect(true, model)).clusters['east']).toMatchObject({
      ready: true,
      controlPlanes: planes(true),
    });
  });

  test('a cluster that does not answer is not ready and does not hide the other', async () => {
    west.intervene = () => ({ status: 503, body: { message: 'shutting down' } });
    const status = await collect(false);
    expect(status.clusters['east']?.ready).toBe(true);
    expect(status.clusters['west']).toEqual({
      context: 'west',
      ready: false,
      ingress: null,
      eastWest: null,
      nodes: 0,
      controlPlanes: [],
      certificateNotAfter: null,
      trust: null,
      remotes: {},
    });
    expect(status.services['inventory']).toEqual({ west: { desired: 1, ready: 0 } });
    expect(isHealthy(status)).toBe(false);
  });

  test('shows the declared address of node ports, which no status tells, in three clusters', async () => {
    const model = modelOf(['east', 'west', 'north']);
    const given = (port: number) => ({ west: { addresses: ['fd00::7', 'nodes.example'], port } });
    const status = await collect(true, {
      ...model,
      ingress: { ...model.ingress, given: given(30080) },
      eastWest: { ...model.eastWest, given: given(31443) },
    });
    expect(
      Object.entries(status.clusters).map(([name, { ingress, eastWest }]) => [name, ingress, eastWest]),
    ).toEqual([
      ['east', 'http://10.0.0.9:80', '10.0.0.9:15443'],
      ['west', 'http://[fd00::7]:30080', '[fd00::7]:31443'],
      ['north', 'http://lb.north.example:80', 'lb.north.example:15443'],
    ]);
  });

  test('asks for no fewer replicas than declared, and for all that a workload was scaled up to', async () => {
    west.put(deployment('shop', 'catalog', 0));
    const none = await collect();
    expect(none.services['catalog']?.['west']).toEqual({ desired: 2, ready: 0 });
    expect(isHealthy(none)).toBe(false);
    west.put(deployment('shop', 'catalog', 5));
    const more = await collect();
    expect(more.services['catalog']?.['west']).toEqual({ desired: 5, ready: 5 });
    expect(isHealthy(more)).toBe(true);
    west.put(deployment('shop', 'catalog', 2));
  });

  test('counts the pods of all versions, of which none makes up for another', async () => {
    const model = modelOf(['east', 'west']);
    const version = (name: string) => ({ name: `catalog-${name}`, version: name, replicas: 1 });
    const deployments = [
      { ...version('v1'), placement: ['east', 'west'] },
      { ...version('v2'), placement: ['west'] },
    ];
    const workloads = [{ ...model.workloads[0]!, deployments }];
    east.put(deployment('shop', 'catalog-v1', 1));
    west.put(deployment('shop', 'catalog-v1', 1, 2));
    west.put(deployment('shop', 'catalog-v2', 1, 0));
    const status = await collect(true, { ...model, workloads });
    expect(status.services).toEqual({
      catalog: { east: { desired: 1, ready: 1 }, west: { desired: 2, ready: 1 } },
    });
    expect(isHealthy(status)).toBe(false);
  });

  test('is not healthy with a roll-out that has not arrived, though old pods are ready', async () => {
    const rolled = deployment('shop', 'catalog', 2);
    west.put({ ...rolled, status: { ...rolled.status, replicas: 3, updatedReplicas: 1 } });
    const status = await collect();
    expect(status.services['catalog']?.['west']).toEqual({ desired: 2, ready: 2 });
    expect(status.rollouts).toEqual([
      {
        cluster: 'west',
        object: 'Deployment shop/catalog',
        missing: '1 of 2 replicas updated',
        because: null,
      },
    ]);
    expect(isHealthy(status)).toBe(false);
    west.put(rolled);
  });

  test('is not healthy after an up that failed or was cut off', async () => {
    const unfinishedUp = { since: checked, problems: ['east: Deployment shop/catalog: does not get ready'] };
    const status = await collect(true, modelOf(['east', 'west']), unfinishedUp);
    expect(status.unfinishedUp).toEqual(unfinishedUp);
    expect(isHealthy(status)).toBe(false);
  });

  test('is not healthy with a replica, a gateway or the calls across missing', async () => {
    expect(isHealthy(await collect(false))).toBe(false);
    west.put(deployment('shop', 'catalog', 2, 1));
    const short = await collect();
    expect(short.services['catalog']?.['west']).toEqual({ desired: 2, ready: 1 });
    expect(isHealthy(short)).toBe(false);
    west.put(deployment('shop', 'catalog', 2));
    west.put(deployment('istio-eastwest', 'istio-eastwestgateway', 1, 0));
    const gateway = await collect();
    expect(gateway.clusters['west']?.ready).toBe(false);
    expect(isHealthy(gateway)).toBe(false);
  });
});

describe('how the control planes read the other clusters', () => {
  beforeEach(() => {
    west.put(deployment('istio-eastwest', 'istio-eastwestgateway', 1));
  });
  const remoteOf = async () => {
    const status = await collect();
    return { ...status.clusters['east']?.remotes['west'], healthy: isHealthy(status) };
  };
  const days = 24 * 60 * 60;
  /** East gets a token for west that began and ends so many days from now. */
  const give = (began: number, ends: number) => {
    const now = Math.floor(Date.now() / 1000);
    const token = tokenWith({
      iat: now + began * days,
      exp: now + ends * days,
      'kubernetes.io': { serviceaccount: { uid: 'any' }, secret: { name: 'bound', uid: 'bound-1' } },
    });
    plane.west.tokens.push(token);
    west.put({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'bound', namespace: 'istio-system', uid: 'bound-1' },
    });
    const access = { server: west.client.server, ca: 'CA', token };
    const secret = remoteSecret('shop', 'west', 'istio-system', access);
    east.put({ ...secret, metadata: { ...secret.metadata } });
    return new Date((now + ends * days) * 1000).toISOString();
  };

  test('warns ahead of the end of a token, and stays healthy while it is valid', async () => {
    give(-20.5, 9.5);
    expect(await remoteOf()).toMatchObject({
      problem: null,
      warning: 'its token ends in 9 days: run `npm run up`, which renews it',
      healthy: true,
    });
    const soon = give(-29, 1);
    expect(await remoteOf()).toMatchObject({
      tokenNotAfter: soon,
      warning: `its token ends at ${soon}: run \`npm run up\`, which renews it`,
      healthy: true,
    });
  });

  test('is not healthy with a token that has expired, is refused or is missing', async () => {
    const past = give(-31, -1);
    expect(await remoteOf()).toEqual({
      tokenNotAfter: past,
      istiod: 'synced',
      problem: `its token expired on ${past}: run \`npm run up\`, which issues a new one`,
      warning: null,
      listsSecrets: 'all',
      healthy: false,
    });
    give(-1, 29);
    plane.west.refuses = 'service account token has been invalidated';
    expect(await remoteOf()).toMatchObject({
      problem:
        'its token is refused (service account token has been invalidated): run `npm run up`, which issues a new one',
      healthy: false,
    });
    east.objects.delete('/api/v1/namespaces/istio-system/secrets/istio-remote-secret-west');
    expect(await remoteOf()).toEqual({
      tokenNotAfter: null,
      istiod: 'unknown',
      problem: 'it has no token: run `npm run up`, which issues a new one',
      warning: null,
      listsSecrets: 'none',
      healthy: false,
    });
  });

  test('says which Secrets who takes the remote secret can list, as the other cluster judges it', async () => {
    west.requests.length = 0;
    west.allows = (verb, resource, { namespace }) =>
      verb !== 'list' || resource !== 'secrets' || namespace === 'istio-system';
    expect(await remoteOf()).toMatchObject({ listsSecrets: 'namespace', healthy: true });
    const asked = west.requests.filter(({ path }) => path.endsWith('/subjectaccessreviews'));
    const spec = {
      user: 'system:serviceaccount:istio-system:istio-remote-reader',
      groups: ['system:serviceaccounts', 'system:serviceaccounts:istio-system', 'system:authenticated'],
      resourceAttributes: { verb: 'list', resource: 'secrets' },
    };
    const narrower = { ...spec.resourceAttributes, namespace: 'istio-system' };
    expect(asked.map(({ body }) => (body as { spec: object }).spec)).toEqual([
      spec,
      { ...spec, resourceAttributes: narrower },
    ]);
    west.allows = (verb, resource) => verb !== 'list' || resource !== 'secrets';
    expect(await remoteOf()).toMatchObject({ listsSecrets: 'none', healthy: true });
    const judge = west.intervene;
    west.intervene = (request) =>
      request.path.endsWith('/subjectaccessreviews')
        ? { status: 403, body: { message: 'subjectaccessreviews is forbidden' } }
        : judge(request);
    expect(await remoteOf()).toMatchObject({ listsSecrets: null, problem: null, healthy: true });
  });

  test('is not healthy when istiod gave up waiting for a cluster', async () => {
    plane.east.status['west'] = 'timeout';
    expect(await remoteOf()).toMatchObject({
      istiod: 'timeout',
      problem: 'istiod has not synced with it (timeout): run `npm run up`, which says why',
      healthy: false,
    });
  });

  test('does not need the permission to have tokens judged', async () => {
    const judge = west.intervene;
    west.intervene = (request) =>
      request.path.endsWith('/tokenreviews')
        ? { status: 403, body: { message: 'tokenreviews is forbidden' } }
        : judge(request);
    expect(await remoteOf()).toMatchObject({ problem: null, warning: null, healthy: true });
  });
});
