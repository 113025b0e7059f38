import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { isHealthy } from './mesh-status.ts';
import { kinds } from '../testing/api-kinds.ts';
import { modelOf } from '../testing/models.ts';
import { RunningMesh, checked, deployment, tokenEnd } from '../testing/running-mesh.ts';

let mesh: RunningMesh;
beforeAll(async () => {
  mesh = await RunningMesh.start();
});
afterAll(() => mesh.stop());
beforeEach(async () => {
  await mesh.renew();
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
      certificateNotAfter: mesh.notAfter,
      trust: {
        state: 'generation 1, intermediate 1',
        rootNotAfter: mesh.rootNotAfter,
        warning: null,
        keyInSecret: true,
      },
      remotes:
        context === 'east'
          ? { west: { tokenNotAfter: tokenEnd(mesh.east, 'west'), ...remote } }
          : { east: { tokenNotAfter: tokenEnd(mesh.west, 'east'), ...remote } },
    });
    const status = await mesh.collect();
    expect(status).toEqual({
      engine: 'apply',
      clusters: { east: cluster('east'), west: cluster('west') },
      services: {
        catalog: { east: { desired: 2, ready: 2 }, west: { desired: 2, ready: 2 } },
        inventory: { west: { desired: 1, ready: 1 } },
      },
      rollouts: [],
      runs: [],
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
    for (const one of pods) mesh.east.put(one);
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
    expect((await mesh.collect(true, model)).clusters['east']).toMatchObject({
      ready: false,
      controlPlanes: planes(false),
    });
    mesh.east.put(deployment('istio-system', 'istiod-1-30', 1));
    expect((await mesh.collect(true, model)).clusters['east']).toMatchObject({
      ready: true,
      controlPlanes: planes(true),
    });
  });

  test('a cluster that does not answer is not ready and does not hide the other', async () => {
    mesh.west.intervene = () => ({ status: 503, body: { message: 'shutting down' } });
    const status = await mesh.collect(false);
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
    const status = await mesh.collect(true, {
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

  test('counts the pods of a StatefulSet', async () => {
    const { workloads, ...rest } = modelOf(['east', 'west']);
    const stateful = workloads.map((workload) =>
      workload.name === 'inventory'
        ? {
            ...workload,
            deployments: workload.deployments.map((one) => ({ ...one, stateful: true as const })),
          }
        : workload,
    );
    mesh.west.kinds = { ...kinds, 'apps/v1': [...(kinds['apps/v1'] ?? []), ['StatefulSet', true]] };
    const model = { ...rest, workloads: stateful };
    expect((await mesh.collect(true, model)).services['inventory']).toEqual({
      west: { desired: 1, ready: 0 },
    });
    mesh.west.put({ ...deployment('shop', 'inventory', 3, 2), kind: 'StatefulSet' });
    const status = await mesh.collect(true, model);
    mesh.west.kinds = kinds;
    expect(status.services['inventory']).toEqual({ west: { desired: 3, ready: 2 } });
    expect(status.rollouts).toMatchObject([{ object: 'StatefulSet shop/inventory' }]);
  });

  test('has no line for an edge of routes alone, which has no pods', async () => {
    const { workloads, ...rest } = modelOf(['east', 'west']);
    const model = {
      ...rest,
      workloads: workloads.map((workload) =>
        workload.name === 'inventory' ? { ...workload, deployments: [], answersFrom: [] } : workload,
      ),
    };
    const status = await mesh.collect(true, model);
    expect(Object.keys(status.services)).toEqual(['catalog']);
    expect(isHealthy(status)).toBe(true);
  });

  test('asks for no fewer replicas than declared, and for all that a workload was scaled up to', async () => {
    mesh.west.put(deployment('shop', 'catalog', 0));
    const none = await mesh.collect();
    expect(none.services['catalog']?.['west']).toEqual({ desired: 2, ready: 0 });
    expect(isHealthy(none)).toBe(false);
    mesh.west.put(deployment('shop', 'catalog', 5));
    const more = await mesh.collect();
    expect(more.services['catalog']?.['west']).toEqual({ desired: 5, ready: 5 });
    expect(isHealthy(more)).toBe(true);
    mesh.west.put(deployment('shop', 'catalog', 2));
  });

  test('counts the pods of all versions, of which none makes up for another', async () => {
    const model = modelOf(['east', 'west']);
    const version = (name: string) => ({ name: `catalog-${name}`, version: name, replicas: 1 });
    const deployments = [
      { ...version('v1'), placement: ['east', 'west'] },
      { ...version('v2'), placement: ['west'] },
    ];
    const workloads = [{ ...model.workloads[0]!, deployments }];
    mesh.east.put(deployment('shop', 'catalog-v1', 1));
    mesh.west.put(deployment('shop', 'catalog-v1', 1, 2));
    mesh.west.put(deployment('shop', 'catalog-v2', 1, 0));
    const status = await mesh.collect(true, { ...model, workloads });
    expect(status.services).toEqual({
      catalog: { east: { desired: 1, ready: 1 }, west: { desired: 2, ready: 1 } },
    });
    expect(isHealthy(status)).toBe(false);
  });

  test('is not healthy with a roll-out that has not arrived, though old pods are ready', async () => {
    const rolled = deployment('shop', 'catalog', 2);
    mesh.west.put({ ...rolled, status: { ...rolled.status, replicas: 3, updatedReplicas: 1 } });
    const status = await mesh.collect();
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
    mesh.west.put(rolled);
  });

  test('is not healthy after an up that failed or was cut off', async () => {
    const unfinishedUp = { since: checked, problems: ['east: Deployment shop/catalog: does not get ready'] };
    const status = await mesh.collect(true, modelOf(['east', 'west']), unfinishedUp);
    expect(status.unfinishedUp).toEqual(unfinishedUp);
    expect(isHealthy(status)).toBe(false);
  });

  test('is not healthy with a replica, a gateway or the calls across missing', async () => {
    expect(isHealthy(await mesh.collect(false))).toBe(false);
    mesh.west.put(deployment('shop', 'catalog', 2, 1));
    const short = await mesh.collect();
    expect(short.services['catalog']?.['west']).toEqual({ desired: 2, ready: 1 });
    expect(isHealthy(short)).toBe(false);
    mesh.west.put(deployment('shop', 'catalog', 2));
    mesh.west.put(deployment('istio-eastwest', 'istio-eastwestgateway', 1, 0));
    const gateway = await mesh.collect();
    expect(gateway.clusters['west']?.ready).toBe(false);
    expect(isHealthy(gateway)).toBe(false);
  });
});
