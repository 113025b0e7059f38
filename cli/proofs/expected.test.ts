import { describe, expect, test } from '@jest/globals';
import type { CallModel, MeshModel, WorkloadModel } from '../../charts/model/mesh-model.ts';
import { frontIn, redisIn } from '../../charts/testing/foreign.ts';
import { twoClusters } from '../../charts/testing/mesh.ts';
import { withProject } from '../../charts/testing/project.ts';
import { shopInTwo } from '../../charts/testing/shop.ts';
import { proofsOf, refuseNothing } from './all.ts';
import { imageFor } from './edges.ts';
import { podName } from './callers/in-their-name.ts';

const model = withProject({}, (root) => shopInTwo(root).model());

/** The shop, with some of its workloads changed. */
function shopWith(changes: Readonly<Record<string, Partial<WorkloadModel>>>): MeshModel {
  const workloads = model.workloads.map((workload) => ({ ...workload, ...changes[workload.name] }));
  return { ...model, workloads };
}

const titles = (mesh: MeshModel) => {
  const { steady, kept } = proofsOf(mesh);
  return [...steady, ...kept].map(({ title }) => title);
};

describe('who is expected to answer', () => {
  test('an edge that runs elsewhere gets the services of its own cluster, and no failover is proved through it', () => {
    const seen = titles(shopWith({ edge: { answersFrom: ['west'] } }));
    expect(seen).toContain(
      'calls to edge through east are answered by catalog in west, by inventory in west, and by orders in east',
    );
    expect(seen).toContain(
      'with catalog scaled to 0 in west, its answers come from east, and from west again after',
    );
  });

  test('a service whose calls are spread may answer from anywhere, and its loss is not proved', () => {
    const seen = titles(shopWith({ catalog: { local: false } }));
    expect(seen[0]).toContain('through east are answered by catalog in east or west');
    expect(seen.join('\n')).not.toContain('scaled to 0');
  });

  test('nobody is asked for a service without pods', () => {
    const seen = titles(shopWith({ catalog: { answersFrom: [] } })).join('\n');
    expect(seen).not.toContain('catalog');
    expect(seen).toContain('orders in east gets to inventory');
  });
});

test('workloads of one name in two namespaces have proofs and probes of their own', () => {
  const orders = model.workloads.find(({ name }) => name === 'orders')!;
  const twice = { ...model, workloads: [...model.workloads, { ...orders, namespace: 'second' }] };
  const probes = titles(twice).filter((title) => title.includes('gets to'));
  expect(probes).toEqual([
    'shop/orders in east gets to catalog and inventory',
    'second/orders in east gets to catalog and inventory',
  ]);
  expect(podName(orders, 'probe')).not.toBe(podName({ ...orders, namespace: 'second' }, 'probe'));
});

test('names of probes are DNS labels, and apart, however long those of their callers are', () => {
  const long = 'a'.repeat(62);
  const names = [`${long}x`, `${long}y`, `${'a'.repeat(35)}--b`].map((name) =>
    podName({ name, namespace: 'shop' }, 'probe'),
  );
  expect(new Set(names).size).toBe(3);
  for (const name of names) expect(name).toMatch(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/);
});

test('a mesh without anything to call is refused, as nothing can be proved of it', () => {
  const empty = { ...model, workloads: [] };
  expect(() => {
    refuseNothing(proofsOf(empty), empty);
  }).toThrow(
    'mesh shop: declares no service that has pods, so that no call can prove it; ' +
      'fix: declare a GrpcService, an HttpService or a TcpService with replicas',
  );
  expect(() => {
    refuseNothing(proofsOf(model), model);
  }).not.toThrow();
});

test('a mesh of nothing but a service over TCP or HTTP is proved, too', () => {
  for (const declare of [redisIn, frontIn] as const) {
    const mesh = withProject({}, (root) => {
      const two = twoClusters(root);
      declare(two.namespace('shop'));
      return two.model();
    });
    expect(titles(mesh)).toEqual(
      ['east', 'west'].map((cluster) => `a plaintext call from outside the mesh is refused in ${cluster}`),
    );
    expect(() => {
      refuseNothing(proofsOf(mesh), mesh);
    }).not.toThrow();
  }
});

test('a service of others is called by each of its callers, wherever they run', () => {
  const call: CallModel = {
    ...{ workload: 'ledger', namespace: 'bank', port: 50051, path: '/bank.Ledger/GetEntry' },
    ...{ answeredBy: 'service', existing: true },
  };
  const calls = [...(model.workloads.find(({ name }) => name === 'orders')?.calls ?? []), call];
  expect(titles(shopWith({ orders: { calls } }))).toContain(
    'orders in east gets to catalog, inventory, and bank/ledger',
  );
});

test('a job is called for in its name where it is placed, whether it runs or not', () => {
  const { calls } = model.workloads.find(({ name }) => name === 'orders')!;
  const connects = [{ workload: 'cache', namespace: 'shop', name: 'redis', port: 6379 }];
  const cache = {
    ...withoutApp(model.workloads[0]!),
    name: 'cache',
    calls: [],
    tcp: [{ name: 'redis', port: 6379 }],
  };
  const runs = [
    {
      name: 'migrate',
      namespace: 'shop',
      kind: 'Job',
      object: 'migrate-1a2b3c4d',
      placement: ['west'],
      calls,
      connects,
    },
    {
      name: 'report',
      namespace: 'shop',
      kind: 'CronJob',
      object: 'report',
      placement: ['east', 'west'],
      calls: [],
    },
  ] as const;
  const seen = titles({ ...model, workloads: [...model.workloads, cache], runs }).filter((title) =>
    /migrate|report/.test(title),
  );
  expect(seen).toEqual([
    'migrate in west gets to catalog and inventory',
    'migrate in west connects to cache:redis',
  ]);
});

/** A workload whose image is built elsewhere. */
function withoutApp(workload: WorkloadModel): WorkloadModel {
  return Object.fromEntries(
    Object.entries(workload).filter(([key]) => key !== 'app'),
  ) as unknown as WorkloadModel;
}

test('a service whose image is built elsewhere is called in its turn, and in its name, by an image that can', () => {
  const cart = withoutApp(model.workloads.find(({ name }) => name === 'catalog')!);
  const of = (workload: WorkloadModel) =>
    workload.name === 'catalog' ? { ...cart, calls: workload.calls } : workload;
  const foreign = { ...model, workloads: model.workloads.map(of) };
  const seen = titles(foreign);
  // Its answers do not tell who gave them: no read through an edge shows where they come from.
  expect(seen.filter((title) => title.includes('through') && title.includes('catalog'))).toEqual([]);
  expect(seen.join('\n')).not.toContain('catalog scaled');
  expect(seen).toContain('edge in east gets to catalog');
  expect(seen).toContain('orders in east gets to catalog and inventory');
  const orders = model.workloads.find(({ name }) => name === 'orders')!;
  const caller = withoutApp(orders);
  const calling = { ...model, workloads: model.workloads.map((each) => (each === orders ? caller : each)) };
  expect(titles(calling)).toContain('orders in east gets to catalog and inventory');
  expect(imageFor(model, caller)).toBe(model.images[0]?.reference);
  expect(imageFor(model, orders)).toBe(model.images.find(({ app }) => app === 'apps/orders')?.reference);
});
