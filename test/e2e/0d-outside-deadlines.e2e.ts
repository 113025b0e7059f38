// Envoy as the proxies on the way of an outside client's call, beside the gateway and beside a service that calls another one: no cluster.
import { once } from 'node:events';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { status } from '@grpc/grpc-js';
import { start, stopAll } from '../../apps/testing/gateway.ts';
import { freePort } from '../../apps/testing/free-port.ts';
import { startLocal, unused } from '../../apps/testing/local.ts';
import { openChannel, serviceClient } from '../../apps/runtime/client.ts';
import { implement, type CallContext } from '../../apps/runtime/handlers.ts';
import { clientDeadline, deadlines } from '../../charts/constructs/edge/grpc-edge.ts';
import { CatalogService } from '../../gen/test/catalog/v1/catalog_pb.js';
import { InventoryService } from '../../gen/test/inventory/v1/inventory_pb.js';
import { listener, startEnvoy, valueOf, type Envoy } from './calls/envoy.ts';
import { rawCall } from './calls/native.ts';
import { grpcUpstream } from './calls/upstream.ts';

const minute = 60_000;

/** Ways in: the HTTP gateway, an ingress gateway as the constructs have it, and one that passes the deadlines of clients on. */
const ways = ['rest', 'native', 'passing'] as const;
type Way = (typeof ways)[number];

const cleanups: (() => unknown)[] = [];
let envoy: Envoy;
let url: string;
const ports = { rest: 0, native: 0, passing: 0 };

/** As istiod makes it for callers in the mesh. */
const usual = (name: string) => ({ route: { cluster: name, timeout: '0s', max_grpc_timeout: '0s' } });
const atIngress = (name: string) => {
  const merged = valueOf(deadlines({}, [{ name: 'a' }]), 'HTTP_ROUTE')['route'] as object;
  return { route: { ...usual(name).route, ...merged } };
};

/** The service behind all: it answers about the product `soon`, and about others never. */
async function startStock(): Promise<number> {
  const getStock = async ({ productId }: { productId: string }, { signal }: CallContext) => {
    if (productId !== 'soon' && !signal.aborted) await once(signal, 'abort');
    return {};
  };
  const others = { reserve: unused, importStock: unused, syncStock: unused };
  const local = await startLocal([implement(InventoryService, { getStock, ...others })]);
  cleanups.push(() => local.stop());
  return local.server.port;
}

/** The service that outside clients call: it asks the other one through the proxy beside it, on behalf of its caller. */
function catalogThrough(proxy: number) {
  const channel = openChannel(`127.0.0.1:${proxy}`);
  cleanups.push(() => {
    channel.close();
  });
  const { getStock } = serviceClient(InventoryService, channel);
  const ask = async (productId: string, parent: CallContext) => {
    const answer = getStock({ productId }, { parent, timeoutMs: minute });
    // It has its hands full, as has the gateway in this process: the proxies are first to see that the time is over.
    if (productId !== 'soon' && parent.deadline - Date.now() > 20) setTimeout(block, 10, 80);
    await answer;
    return {};
  };
  return implement(CatalogService, {
    getProduct: ({ id }, context) => ask(id, context),
    listProducts: (_, context) => ask('late', context),
    watchPrices: unused,
  });
}

function block(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

beforeAll(async () => {
  const stock = await startStock();
  const [listeners, clusters]: [object[], object[]] = [[], []];
  for (const way of ways) {
    ports[way] = await freePort();
    const next = await freePort();
    const catalog = catalogThrough(next);
    const local = await startLocal([catalog]);
    cleanups.push(() => local.stop());
    const removed = way === 'native' ? { request_headers_to_remove: [clientDeadline] } : {};
    const route = way === 'rest' ? usual(way) : { ...atIngress(way), ...removed };
    listeners.push(
      listener(way, ports[way], {}, [], route),
      listener(`${way}-next`, next, {}, [], usual(`${way}-next`)),
    );
    clusters.push(grpcUpstream(way, local.server.port), grpcUpstream(`${way}-next`, stock));
    if (way === 'rest') {
      ({ url } = await start({ implementation: catalog, address: `127.0.0.1:${ports.rest}` }));
    }
  }
  envoy = await startEnvoy({ static_resources: { listeners, clusters } });
}, 10 * minute);

afterAll(async () => {
  await stopAll();
  for (const cleanup of cleanups.reverse()) await cleanup();
  await envoy.stop();
});

const late = { ':path': `/${CatalogService.typeName}/ListProducts`, 'content-type': 'application/grpc' };
const callLate = async (way: Way) =>
  Number(
    (await rawCall(`http://127.0.0.1:${ports[way]}`, { ...late, 'grpc-timeout': '50m' }))['grpc-status'],
  );

/** The code of a call that is answered as soon as it comes to the last service. */
async function callSoon(way: Way): Promise<number> {
  const channel = openChannel(`127.0.0.1:${ports[way]}`);
  try {
    await serviceClient(CatalogService, channel).getProduct({ id: 'soon' }, { timeoutMs: 20_000 });
    return status.OK;
  } catch (error) {
    return (error as { code: number }).code;
  } finally {
    channel.close();
  }
}

/** How often a proxy took the server behind it out of use: that of the way in, and that of the service. */
const takenOut = (way: Way) =>
  Promise.all(
    [way, `${way}-next`].map((name) =>
      envoy.counted(new RegExp(`^cluster\\.${name}\\.outlier_detection\\.ejections_enforced_total$`)),
    ),
  );

test('deadlines of HTTP clients take no server out of use, neither the one they call nor the one that it calls', async () => {
  const ends = new Set<number>();
  for (let made = 0; made < 8; made++) {
    ends.add((await fetch(`${url}/v1/products`, { headers: { 'grpc-timeout': '50m' } })).status);
  }
  expect([...ends]).toEqual([504]);
  // As many as a client can make.
  const burst = Array.from({ length: 50 }, () =>
    fetch(`${url}/v1/products`, { headers: { 'grpc-timeout': '1m' } }),
  );
  expect(new Set((await Promise.all(burst)).map((answer) => answer.status))).toEqual(new Set([504]));
  expect(await takenOut('rest')).toEqual([0, 0]);
  expect((await fetch(`${url}/v1/products/soon`)).status).toBe(200);
});

test('nor do those of native clients', async () => {
  const ends = new Set<number>();
  for (let made = 0; made < 8; made++) ends.add(await callLate('native'));
  expect([...ends]).toEqual([status.DEADLINE_EXCEEDED]);
  expect(await takenOut('native')).toEqual([0, 0]);
  expect(await callSoon('native')).toBe(status.OK);
});

test('where they were passed on, they would: nobody could call the next server', async () => {
  for (let made = 0; made < 8; made++) await callLate('passing');
  expect((await takenOut('passing'))[1]).toBe(1);
  expect(await callSoon('passing')).toBe(status.UNAVAILABLE);
});
