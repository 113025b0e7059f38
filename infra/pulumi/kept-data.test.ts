import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OwnObject } from '../../charts/constructs/scope/own-object.ts';
import { redisIn } from '../../charts/testing/foreign.ts';
import { lab, Mesh } from '../../charts/index.ts';
import { clusters } from '../../charts/testing/mesh.ts';
import { field } from '../kube/kube-object.ts';
import { playControllers } from '../testing/controllers.ts';
import { kinds } from '../testing/api-kinds.ts';
import { KubeApi } from '../testing/kube-api.ts';
import { root, writeIstioctl } from '../testing/meshes.ts';
import type { Registered } from '../testing/pulumi-engine.ts';
import { runOnServers } from '../testing/run-on-servers.ts';

/** A store with volumes of its pods, a claim of one's own, and a volume. */
function declare() {
  const mesh = new Mesh('shop', { root, trustDomain: 'shop.example', clusters, platform: lab });
  const shop = mesh.namespace('shop');
  redisIn(shop, { stateful: { volumes: { data: { mountPath: '/data', size: '1Gi' } } } });
  const spec = {
    accessModes: ['ReadWriteOnce'],
    resources: { requests: { storage: '1Gi' } },
    storageClassName: 'fast',
  };
  new OwnObject(shop, 'orders', { object: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', spec } });
  new OwnObject(mesh, 'archive', {
    object: {
      ...{ apiVersion: 'v1', kind: 'PersistentVolume' },
      spec: {
        ...{ accessModes: ['ReadWriteOnce'], capacity: { storage: '1Gi' } },
        csi: { driver: 'disks.example', volumeHandle: 'archive-1' },
      },
    },
    placement: ['east'],
  });
  return mesh;
}

describe('what the engine is told of data', () => {
  let folder: string;
  let apis: ReadonlyMap<string, KubeApi>;
  let registered: readonly Registered[];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'kept-data-'));
    const started = ['east', 'west'].map(async (name) => [name, await KubeApi.start(name)] as const);
    apis = new Map(await Promise.all(started));
    for (const [name, api] of apis) {
      api.kinds = {
        ...kinds,
        v1: [...kinds['v1']!, ['PersistentVolumeClaim', true], ['PersistentVolume', false]],
        'apps/v1': [...kinds['apps/v1']!, ['StatefulSet', true]],
      };
      playControllers(api, name);
    }
    const access = [...apis].map(([name, { kubeconfig }]) => [name, { kubeconfig, context: name }]);
    const config = {
      clusters: JSON.stringify(Object.fromEntries(access)),
      istioctl: writeIstioctl(folder),
      trustDir: join(folder, 'trust'),
    };
    ({ registered } = await runOnServers(declare(), { apis, config }));
  });
  afterAll(async () => {
    rmSync(folder, { recursive: true });
    await Promise.all([...apis.values()].map((api) => api.stop()));
  });

  test('is to forget claims and volumes that are declared, and to leave them where they are, and nothing else', () => {
    const retained = registered.filter((one) => one.retainOnDelete).map(({ type, name }) => [type, name]);
    expect(retained.toSorted()).toEqual([
      ['kubernetes:core/v1:PersistentVolume', 'east/archive'],
      ['kubernetes:core/v1:PersistentVolumeClaim', 'east/shop/orders'],
      ['kubernetes:core/v1:PersistentVolumeClaim', 'west/shop/orders'],
    ]);
  });

  test('is never to replace them for a change', () => {
    const kept = registered.filter((one) => one.retainOnDelete);
    expect(kept.flatMap((one) => one.replaceOnChanges)).toEqual([]);
  });

  test('comes after a stage that has nothing, which ends no sooner than those before it', () => {
    const traffic = registered.filter(({ name }) => name.endsWith('/60-traffic'));
    expect(traffic.map(({ name }) => name).toSorted()).toEqual(['east/60-traffic', 'west/60-traffic']);
    // It ends with the other clusters being reached, by gateways that were to be there.
    expect(registered.filter(({ parent }) => traffic.some(({ urn }) => urn === parent))).toEqual([]);
    const order = registered.map(({ name }) => name);
    for (const cluster of ['east', 'west'])
      expect(order.indexOf(`${cluster}/60-traffic`)).toBeGreaterThan(order.indexOf(`${cluster}/shop/redis`));
  });

  test('has a StatefulSet that its claims outlive', () => {
    const sets = registered.filter(({ type }) => type === 'kubernetes:apps/v1:StatefulSet');
    expect(
      sets.map(({ name, inputs }) => [
        name,
        field(inputs, 'spec', 'persistentVolumeClaimRetentionPolicy', 'whenDeleted'),
      ]),
    ).toEqual([
      ['east/shop/redis', 'Retain'],
      ['west/shop/redis', 'Retain'],
    ]);
  });
});
