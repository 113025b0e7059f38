import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { keptProject } from '../../charts/testing/project.ts';
import { shopInThree } from '../../charts/testing/shop-in-three.ts';
import { proofsOf } from './all.ts';
import { probeCrossCluster } from './cross-cluster.ts';

const names = ['north', 'east', 'south'] as const;

const model = shopInThree(keptProject()).model();

const open: Server[] = [];
afterEach(() => {
  for (const server of open.splice(0)) server.close();
});

/** Ingresses, each of which says of every path who serves it. */
async function ingresses(servedBy: (path: string, cluster: string) => string) {
  const addresses = names.map(async (cluster) => {
    const server = createServer((request, response) => {
      response.setHeader('x-served-by', `${servedBy(request.url ?? '', cluster)}/pod`);
      response.end('{}');
    });
    open.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return [cluster, `http://127.0.0.1:${(server.address() as AddressInfo).port}`] as const;
  });
  return Object.fromEntries(await Promise.all(addresses));
}

test('up proves three clusters as it proves two', () => {
  const { steady, kept } = proofsOf(model);
  const stock = { north: 'east or south', east: 'east', south: 'south' };
  expect([...steady, ...kept].map(({ title }) => title)).toEqual([
    ...names.map(
      (name) =>
        `calls to edge through ${name} are answered by catalog in ${name}, by inventory in ${stock[name]}, and by orders in north`,
    ),
    ...names.map((name) => `a plaintext call from outside the mesh is refused in ${name}`),
    'orders in north gets to catalog and inventory',
    'with catalog scaled to 0 in north, its answers come from east or south, and from north again after',
  ]);
});

test('where every service runs in every cluster there is nothing to try between them', async () => {
  const workloads = model.workloads.map((workload) => ({ ...workload, answersFrom: names }));
  expect(await probeCrossCluster({ ...model, workloads }, {})).toMatchObject({ ok: null });
});

describe('status, of three clusters', () => {
  const elsewhere = (path: string) => (path.startsWith('/v1/orders') ? 'north' : 'south');

  test('is well when every read that has to leave its cluster was answered by another', async () => {
    expect(await probeCrossCluster(model, await ingresses(elsewhere))).toMatchObject({ ok: true });
  });

  test('is not when one of them was answered by a cluster that does not run the service', async () => {
    const wrong = (path: string, cluster: string) => (cluster === 'south' ? 'east' : elsewhere(path));
    expect(await probeCrossCluster(model, await ingresses(wrong))).toMatchObject({ ok: false });
  });

  test('is not when one cluster has no ingress', async () => {
    const all = await ingresses(elsewhere);
    expect(await probeCrossCluster(model, { ...all, east: null })).toMatchObject({ ok: false });
  });
});
