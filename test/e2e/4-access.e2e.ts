import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { waitFor } from '../../core/wait.ts';
import { callOnce, eventually, status, type Answer } from './calls/call.ts';
import { ensureUp, kubectl } from './checkout/lab.ts';
import { removeIntruder, startIntruder } from './calls/intruder.ts';
import { removeOutsider, startOutsider, type Outsider } from './calls/outside.ts';

const minute = 60_000;

const product = Buffer.concat([Buffer.from([10, 3]), Buffer.from('p-1')]); // field 1, a string: an id

function callFrom(cluster: string, target: string, container: string, service: string, path: string): Answer {
  const from = { cluster, namespace: 'shop', target, container };
  return callOnce(from, { address: `${service}.shop.svc.cluster.local:50051`, path, message: product });
}

beforeAll(async () => {
  await ensureUp();
}, 60 * minute);

describe('a declared call goes through, method by method', () => {
  test.each([
    ['the catalog of its own cluster', 'catalog', '/shop.catalog.v1.CatalogService/GetProduct', status.ok],
    // An empty request: refused by the service itself, so it got there; stock is in the other cluster.
    [
      'the inventory of the other cluster',
      'inventory',
      '/shop.inventory.v1.InventoryService/Reserve',
      status.invalidArgument,
    ],
  ])('orders to %s', async (_, service, path, expected) => {
    await eventually(`orders -> ${path}`, expected, () =>
      callFrom('east', 'deployment/orders', 'orders', service, path),
    );
  });

  test.each([
    ['the catalog', 'catalog', '/shop.catalog.v1.CatalogService/ListProducts'],
    ['the inventory, in the other cluster', 'inventory', '/shop.inventory.v1.InventoryService/GetStock'],
  ])('but orders may not call another method of %s', async (_, service, path) => {
    await eventually(`orders -> ${path}`, status.permissionDenied, () =>
      callFrom('east', 'deployment/orders', 'orders', service, path),
    );
  });
});

test.each([
  ['east', 'catalog', 'orders'],
  ['west', 'inventory', 'catalog'],
])('in %s, %s declares no calls: its proxy does not know %s', async (cluster, caller, callee) => {
  // The proxy routes to no such place: the connection ends without an answer.
  await waitFor({ what: `${caller} in ${cluster} to be cut off`, timeoutMs: minute }, () => {
    const seen = callFrom(
      cluster,
      `deployment/${caller}`,
      caller,
      callee,
      '/shop.orders.v1.OrdersService/ListOrders',
    );
    return seen.status === status.unavailable || /^(error|http) /.test(seen.status)
      ? { done: true, value: seen }
      : { done: false, because: seen.status };
  });
});

const image = (cluster: string) =>
  kubectl(
    cluster,
    '-n',
    'shop',
    'get',
    'deployment/catalog',
    '-o',
    'jsonpath={.spec.template.spec.containers[0].image}',
  );

describe('a workload of the mesh with an identity that nobody named', () => {
  beforeAll(() => {
    for (const cluster of ['east', 'west']) {
      startIntruder(cluster, image(cluster));
    }
  }, 5 * minute);
  afterAll(() => {
    for (const cluster of ['east', 'west']) removeIntruder(cluster);
  });

  test.each([
    ['east', 'its own cluster', 'catalog', '/shop.catalog.v1.CatalogService/GetProduct'],
    ['east', 'the other cluster', 'inventory', '/shop.inventory.v1.InventoryService/Reserve'],
    ['west', 'its own cluster', 'inventory', '/shop.inventory.v1.InventoryService/Reserve'],
    ['west', 'the other cluster', 'orders', '/shop.orders.v1.OrdersService/GetOrder'],
  ])('in %s gets PERMISSION_DENIED in %s', async (cluster, _, service, path) => {
    await eventually(`intruder of ${cluster} -> ${path}`, status.permissionDenied, () =>
      callFrom(cluster, 'pod/intruder', 'intruder', service, path),
    );
  });
});

describe.each(['east', 'west'])('a pod of %s without a sidecar', (cluster) => {
  let outsider: Outsider;
  beforeAll(() => {
    outsider = startOutsider(cluster, image(cluster));
  }, 3 * minute);
  afterAll(() => {
    removeOutsider(cluster);
  });

  test('gets no configuration from istiod in the name of a proxy', () => {
    const clusters = Buffer.from('type.googleapis.com/envoy.config.cluster.v3.Cluster');
    const proxy = Buffer.from('sidecar~192.0.2.1~orders-1.shop~shop.svc.cluster.local');
    // envoy.service.discovery.v3.DiscoveryRequest: node.id is field 1 of field 2, type_url field 4.
    const message = Buffer.concat([
      Buffer.from([18, proxy.length + 2, 10, proxy.length]),
      proxy,
      Buffer.from([34, clusters.length]),
      clusters,
    ]);
    const path = '/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources';
    const address = 'istiod.istio-system.svc:15010';
    const { status: code, bytes } = callOnce(outsider.caller, { address, path, message, timeoutMs: 10_000 });
    expect({ code, bytes }).toEqual({ code: status.unauthenticated, bytes: 0 });
  });
});

describe('istiod fetches keys of token issuers from no address that a machine or a cloud has for itself', () => {
  const metadata = { name: 'own-issuer', namespace: 'shop' };
  afterAll(() => {
    kubectl('east', '-n', 'shop', 'delete', 'requestauthentication', metadata.name, '--ignore-not-found');
  });

  test.each(['127.0.0.1', '169.254.169.254'])(
    '%s',
    async (address) => {
      const jwksUri = `http://${address}/keys`;
      const authentication = {
        apiVersion: 'security.istio.io/v1',
        kind: 'RequestAuthentication',
        metadata,
        spec: {
          selector: { matchLabels: { 'app.kubernetes.io/name': 'orders' } },
          jwtRules: [{ issuer: 'https://issuer.example', jwksUri }],
        },
      };
      kubectl('east', 'apply', '-f', '-', { input: JSON.stringify(authentication) });
      await waitFor({ what: `istiod to refuse ${jwksUri}`, timeoutMs: minute }, () => {
        const log = kubectl('east', '-n', 'istio-system', 'logs', 'deployment/istiod', '--since=2m');
        const line = log.split('\n').find((one) => one.includes(jwksUri) && one.includes('Failed to GET'));
        if (line === undefined) return { done: false, because: 'it has not asked yet' };
        expect(line).toContain(`(resolved IP ${address}) blocked: IP is in blocked CIDR range`);
        return { done: true, value: line };
      });
    },
    2 * minute,
  );
});
