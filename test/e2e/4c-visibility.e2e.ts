import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { GrpcService, type Mesh } from '../../charts/index.ts';
import type { KubernetesObject } from '../../charts/model/mesh-model.ts';
import { waitFor } from '../../core/wait.ts';
import { callOnce, eventually, status, type Answer } from './calls/call.ts';
import { echoIn } from './calls/echo.ts';
import { apps, labMesh, type Cluster } from './checkout/lab-mesh.ts';
import { ensureLab, kubectl } from './checkout/lab.ts';
import { projectWith } from './checkout/project.ts';
import { applyVariant } from './checkout/variant.ts';

const minute = 60_000;

jest.setTimeout(5 * minute);

const called = 'catalog.goods.svc.cluster.local';
const notCalled = 'inventory.goods.svc.cluster.local';

// Where the app looks for the others is not what is tested, and synth refuses addresses that may not be called.
const project = projectWith({ orders: { env: {} } });

/** orders in east, and in another namespace in west the catalog, which it calls, and the inventory, which nobody does. */
function declare(): Mesh<Cluster> {
  const mesh = labMesh({ root: project.root });
  const goods = mesh.namespace('goods');
  const west = { placement: ['west'] } as const;
  const catalog = new GrpcService(goods, 'catalog', {
    ...apps.catalog,
    ...west,
  });
  new GrpcService(goods, 'inventory', { ...apps.inventory, ...west });
  const orders = new GrpcService(mesh.namespace('shop'), 'orders', {
    ...apps.orders,
    placement: ['east'],
  });
  orders.calls(catalog.method.getProduct);
  return mesh;
}

/** The Sidecar of orders asks for everything in the other namespace; it was rendered for the catalog alone. */
function askForAll(object: KubernetesObject): KubernetesObject {
  if (object.kind !== 'Sidecar' || object.metadata.name !== 'orders') return object;
  return { ...object, spec: { ...(object['spec'] as object), egress: [{ hosts: ['goods/*'] }] } };
}

/** The inventory is visible to every namespace, which is Istio's own default. */
function exportInventory(object: KubernetesObject): KubernetesObject {
  const { kind, metadata } = object;
  if (kind !== 'Service' || metadata.namespace !== 'goods' || metadata.name !== 'inventory') return object;
  const annotations = { ...metadata.annotations, 'networking.istio.io/exportTo': '*' };
  return { ...object, metadata: { ...metadata, annotations } };
}

function variant(...changes: readonly ((object: KubernetesObject) => KubernetesObject)[]): Promise<void> {
  const all = [echoIn('shop'), echoIn('goods'), ...changes];
  return applyVariant(declare(), { change: (object) => all.reduce((seen, change) => change(seen), object) });
}

/** Which of the two services the proxy of a Deployment has an upstream for. */
function known(cluster: string, namespace: string, deployment: string): readonly string[] {
  const proxy = ['-n', namespace, 'exec', `deployment/${deployment}`, '-c', 'istio-proxy', '--'];
  const clusters = kubectl(cluster, ...proxy, 'pilot-agent', 'request', 'GET', 'clusters');
  return [called, notCalled].filter((host) => clusters.includes(`${host}::`));
}

const ordersKnows = () => known('east', 'shop', 'orders');
const gatewayKnows = () => known('west', 'istio-eastwest', 'istio-eastwestgateway');

/** Configuration takes some seconds to reach the proxies. */
async function eventuallyKnows(who: string, look: () => readonly string[], hosts: readonly string[]) {
  await waitFor({ what: `${who} to know ${hosts.join(' and ')} alone`, timeoutMs: minute }, () => {
    const seen = look();
    return seen.join() === hosts.join()
      ? { done: true, value: seen }
      : { done: false, because: `it knows ${seen.length === 0 ? 'neither' : seen.join(' and ')}` };
  });
}

function callFromOrders(host: string, path: string): Answer {
  const from = { cluster: 'east', namespace: 'shop', target: 'deployment/orders', container: 'orders' };
  return callOnce(from, { address: `${host}:50051`, path });
}

beforeAll(async () => {
  await ensureLab();
}, 60 * minute);

afterAll(() => {
  project.remove();
});

// First, so that what is not known below was known before, and has gone.
test('a service exported everywhere is known to whose Sidecar asks for it, and only refuses the call', async () => {
  await variant(askForAll, exportInventory);
  await eventuallyKnows('orders', ordersKnows, [called, notCalled]);
  await eventuallyKnows('the east-west gateway', gatewayKnows, [called, notCalled]);
  await eventually('orders -> inventory', status.permissionDenied, () =>
    callFromOrders(notCalled, '/shop.inventory.v1.InventoryService/GetStock'),
  );
});

test('as rendered, it is unknown in another namespace whatever a Sidecar asks for, and to the gateways between clusters', async () => {
  await variant(askForAll);
  await eventuallyKnows('orders', ordersKnows, [called]);
  await eventuallyKnows('the east-west gateway', gatewayKnows, [called]);
  const { status: seen } = callFromOrders(notCalled, '/shop.inventory.v1.InventoryService/GetStock');
  // The proxy routes to no such place: the connection ends without an answer.
  expect(seen).toMatch(new RegExp(`^(?:error |http |${status.unavailable}$)`));
});

test('the one that is called in the other namespace answers, from the other cluster', async () => {
  const answer = await eventually('orders -> catalog', status.ok, () =>
    callFromOrders(called, '/shop.catalog.v1.CatalogService/GetProduct'),
  );
  expect(answer.servedBy).toMatch(/^west\/catalog-/);
});
