import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { shopInThree } from '../../charts/testing/shop-in-three.ts';
import { proofsOf } from './all.ts';
import { probeCrossCluster } from './cross-cluster.ts';

const root = join(import.meta.dirname, '..', '..');
const names = ['north', 'east', 'south'] as const;

const model = shopInThree(root).model();

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
  expect(proofsOf(model).map(({ title }) => title)).toEqual([
    ...names.map((name) => `a product read in ${name} is served by ${name}`),
    ...names.map(
      (name) => `an order placed through ${name} is served by north, stock reserved in east or south`,
    ),
    ...names.map((name) => `a plaintext call from outside the mesh is refused in ${name}`),
    'with the catalog of north scaled to 0, products are served by east or south, and by north again after',
  ]);
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
