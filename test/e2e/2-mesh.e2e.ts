import { beforeAll, describe, expect, test } from '@jest/globals';
import { ensureUp, kubectl, type Status } from './checkout/lab.ts';

const minute = 60_000;
let seen: Status;

beforeAll(async () => {
  seen = await ensureUp();
}, 60 * minute);

const ingress = (cluster: string) => seen.clusters[cluster]!.ingress;
test('status tells clusters, gateways, services and trust as scripts expect them', () => {
  expect(seen.engine).toBe('apply');
  for (const cluster of ['east', 'west']) {
    const { certificateNotAfter, trust, remotes, ...rest } = seen.clusters[cluster]!;
    expect(rest).toEqual({
      context: cluster,
      ready: true,
      ingress: expect.stringMatching(/^http:\/\/[\d.]+:\d+$/),
      eastWest: expect.stringMatching(/^[\d.]+:15443$/),
      nodes: 1,
      controlPlanes: [{ revision: 'default', ready: true, proxies: expect.any(Number) }],
    });
    expect(rest.controlPlanes[0]!.proxies).toBeGreaterThanOrEqual(4);
    expect(trust).toMatchObject({ state: 'generation 1, intermediate 1', warning: null });
    const other = cluster === 'east' ? 'west' : 'east';
    const { tokenNotAfter, ...remote } = remotes[other]!;
    expect(remote).toEqual({ istiod: 'synced', problem: null, warning: null, listsSecrets: 'all' });
    for (const end of [certificateNotAfter, trust.rootNotAfter, tokenNotAfter]) {
      expect(new Date(end).getTime()).toBeGreaterThan(Date.now());
    }
  }
  expect(seen.services).toMatchObject({
    catalog: { east: { desired: 1, ready: 1 }, west: { desired: 1, ready: 1 } },
    orders: { east: { desired: 1, ready: 1 } },
    inventory: { west: { desired: 1, ready: 1 } },
  });
  expect(seen.services['orders']).not.toHaveProperty('west');
  expect(seen.crossCluster.ok).toBe(true);
});

describe('HTTP in, gRPC inside', () => {
  test.each(['east', 'west'])('a product is read through %s, served there', async (cluster) => {
    const response = await fetch(`${ingress(cluster)}/v1/products/p-1`);
    expect(response.status).toBe(200);
    expect(response.headers.get('x-served-by')).toMatch(new RegExp(`^${cluster}/catalog-`));
    expect(await response.json()).toMatchObject({ product: { id: 'p-1', price: { currencyCode: 'EUR' } } });
  });

  test.each(['east', 'west'])(
    'an order through %s crosses from orders in east to inventory in west',
    async (cluster) => {
      const response = await fetch(`${ingress(cluster)}/v1/orders`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ productId: 'p-2', quantity: 2 }),
      });
      expect(response.status).toBe(200);
      expect(response.headers.get('x-served-by')).toMatch(/^east\/orders-/);
      expect(response.headers.get('x-inventory-served-by')).toMatch(/^west\/inventory-/);
      const { order } = (await response.json()) as { order: { id: string; total: { minorUnits: string } } };
      // The sample's prices move by a tenth around their first value, 3450 here.
      const unit = Number(order.total.minorUnits) / 2;
      expect([unit, unit >= 3105 && unit <= 3795]).toEqual([unit, true]);
      const read = await fetch(`${ingress(cluster)}/v1/orders/${order.id}`);
      expect(await read.json()).toMatchObject({ order: { id: order.id, productId: 'p-2', quantity: 2 } });
    },
  );

  test('a gRPC status becomes its HTTP status and a google.rpc.Status', async () => {
    const missing = await fetch(`${ingress('east')}/v1/products/no-such`);
    expect(missing.status).toBe(404);
    expect(await missing.json()).toMatchObject({ code: 5 });
    const short = await fetch(`${ingress('east')}/v1/orders`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ productId: 'p-8', quantity: 1 }),
    });
    expect(short.status).toBe(400);
    expect(await short.json()).toMatchObject({ code: 9 });
  });
});

test.each(['east', 'west'])(
  '%s enforces Pod Security restricted where applications and gateways run',
  (cluster) => {
    for (const namespace of ['shop', 'istio-ingress', 'istio-eastwest']) {
      const label = '{.metadata.labels.pod-security\\.kubernetes\\.io/enforce}';
      expect([namespace, kubectl(cluster, 'get', 'namespace', namespace, '-o', `jsonpath=${label}`)]).toEqual(
        [namespace, 'restricted'],
      );
    }
  },
);

test.each(['east', 'west'])('every pod of the shop in %s has a sidecar', (cluster) => {
  const pods = JSON.parse(kubectl(cluster, '-n', 'shop', 'get', 'pods', '-o', 'json')) as {
    items: { metadata: { name: string; annotations: Record<string, string> } }[];
  };
  expect(pods.items.length).toBeGreaterThan(0);
  for (const { metadata } of pods.items)
    expect(metadata.annotations).toHaveProperty(['sidecar.istio.io/status']);
});
