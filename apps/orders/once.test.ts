import { randomUUID } from 'node:crypto';
import { once as emitted } from 'node:events';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { status } from '@grpc/grpc-js';
import { ErrorInfoSchema } from '../../gen/google/rpc/error_details_pb.js';
import { CatalogService } from '../../gen/shop/catalog/v1/catalog_pb.js';
import { InventoryService } from '../../gen/shop/inventory/v1/inventory_pb.js';
import { OrdersService } from '../../gen/shop/orders/v1/orders_pb.js';
import { catalogHandlers } from '../catalog/handlers.ts';
import { sampleProducts } from '../catalog/sample.ts';
import { memoryCatalog } from '../catalog/store.ts';
import { inventoryHandlers } from '../inventory/handlers.ts';
import { memoryInventory } from '../inventory/store.ts';
import type { InventoryStore } from '../inventory/store.ts';
import { serviceClient } from '../runtime/client.ts';
import type { CallOptions, ServiceClient } from '../runtime/client.ts';
import { implement } from '../runtime/handlers.ts';
import type { Handlers } from '../runtime/handlers.ts';
import { findDetail, statusError } from '../runtime/status.ts';
import type { StatusError } from '../runtime/status.ts';
import { startLocal } from '../testing/local.ts';
import type { Local } from '../testing/local.ts';
import { ordersHandlers } from './handlers.ts';
import { memoryRequestLog } from './request-log.ts';
import type { RequestLog } from './request-log.ts';
import { memoryOrders } from './store.ts';
import type { OrderStore, StoredOrder } from './store.ts';

const options = { timeoutMs: 20_000 };
const requestId = 'b5a1c9f0-4a54-4d49-9b64-0d3c9f6e1a2b';
const request = { productId: 'p-1', quantity: 3, requestId };

type Catalog = Handlers<typeof CatalogService>;

let locals: Local[];
let stock: InventoryStore;
let store: OrderStore;
/** Stands between orders and the catalog's own GetProduct. */
let getProduct: Catalog['getProduct'];

/** Orders over real sockets; with a log of its own it knows no earlier request, as after a restart. */
async function startOrders(
  requests: RequestLog<StoredOrder> = memoryRequestLog(),
): Promise<ServiceClient<typeof OrdersService>> {
  const [catalog, inventory] = locals as [Local, Local];
  const handlers = ordersHandlers({
    store,
    requests,
    catalog: serviceClient(CatalogService, catalog.channel),
    inventory: serviceClient(InventoryService, inventory.channel),
  });
  const local = await startLocal([implement(OrdersService, handlers)]);
  locals.push(local);
  return serviceClient(OrdersService, local.channel);
}

beforeEach(async () => {
  stock = memoryInventory({ 'p-1': 10 });
  store = memoryOrders();
  const catalog = catalogHandlers(memoryCatalog(sampleProducts));
  getProduct = catalog.getProduct;
  const between: Catalog = { ...catalog, getProduct: (asked, context) => getProduct(asked, context) };
  locals = [
    await startLocal([implement(CatalogService, between)]),
    await startLocal([implement(InventoryService, inventoryHandlers(stock))]),
  ];
});
afterEach(() => Promise.all(locals.map((local) => local.stop())));

/** Holds GetProduct back until told, and counts who asked. */
function hold() {
  const own = getProduct;
  const gate = Promise.withResolvers<unknown>();
  const calls = new EventTarget();
  let count = 0;
  getProduct = async (asked, context) => {
    count += 1;
    calls.dispatchEvent(new Event('asked'));
    await gate.promise;
    return own(asked, context);
  };
  return {
    own,
    count: () => count,
    next: () => emitted(calls, 'asked'),
    release: () => {
      gate.resolve(undefined);
    },
    fail: gate.reject,
  };
}

/** Claims are made one after the other, so the last of them is one that waits. */
function watched() {
  const log = memoryRequestLog<StoredOrder>();
  const waiting = Promise.withResolvers<unknown>();
  const requests: RequestLog<StoredOrder> = {
    claim: async (key, fingerprint) => {
      const claim = await log.claim(key, fingerprint);
      if (claim.kind === 'taken') waiting.resolve(undefined);
      return claim;
    },
  };
  return { requests, waiting: waiting.promise };
}

/** A request that is held back at the catalog, and the same one again, which waits for it. */
async function firstAndSecond(
  asked: typeof request,
  { first = options, second = options }: Readonly<Partial<Record<'first' | 'second', CallOptions>>> = {},
) {
  const { requests, waiting } = watched();
  const orders = await startOrders(requests);
  const held = hold();
  const ahead = orders.createOrder(asked, first);
  await held.next();
  const behind = orders.createOrder(asked, second);
  await waiting;
  return { orders, held, first: ahead, second: behind };
}

const refusal = {
  code: status.ALREADY_EXISTS,
  message: 'request_id: already used for a request with other fields; use a new one',
};

test('a repeated request is answered as before and carried out once', async () => {
  const orders = await startOrders();
  const first = await orders.createOrder(request, options);
  expect(first.order).toMatchObject({ productId: 'p-1', quantity: 3, reservationId: `order-${requestId}` });
  expect(await orders.createOrder(request, options)).toEqual(first);
  expect(await orders.createOrder({ ...request, requestId: requestId.toUpperCase() }, options)).toEqual(
    first,
  );
  expect((await orders.listOrders({}, options)).orders).toEqual([first.order]);
  expect(await stock.get('p-1')).toMatchObject({ available: 7, reserved: 3 });
});

test('without a request_id every call makes an order', async () => {
  const orders = await startOrders();
  for (let made = 0; made < 2; made++) await orders.createOrder({ ...request, requestId: '' }, options);
  expect((await orders.listOrders({}, options)).orders).toHaveLength(2);
});

test.each([{ quantity: 4 }, { productId: 'p-2' }])(
  'another request with its id, %j, is refused',
  async (other) => {
    const orders = await startOrders();
    await orders.createOrder(request, options);
    const error = await orders.createOrder({ ...request, ...other }, options).catch((e: unknown) => e);
    expect(error).toMatchObject(refusal);
    expect(findDetail(error as StatusError, ErrorInfoSchema)).toMatchObject({
      reason: 'REQUEST_ID_REUSED',
      domain: 'orders.shop.example',
    });
  },
);

test('two at once are carried out once, and have one answer', async () => {
  const { orders, held, first, second } = await firstAndSecond(request);
  await expect(orders.createOrder({ ...request, quantity: 4 }, options)).rejects.toMatchObject(refusal);
  held.release();
  expect(await first).toEqual(await second);
  expect(held.count()).toBe(1);
  expect(await stock.get('p-1')).toMatchObject({ available: 7, reserved: 3 });
});

test('a refusal is that of all who wait, and is not kept', async () => {
  const { orders, held, first, second } = await firstAndSecond({ ...request, productId: 'p-0' });
  held.release();
  for (const { status: outcome, ...rest } of await Promise.allSettled([first, second])) {
    expect([outcome, rest]).toMatchObject([
      'rejected',
      { reason: { code: status.NOT_FOUND, message: 'catalog: id: no product "p-0"' } },
    ]);
  }
  expect(held.count()).toBe(1);
  expect((await orders.createOrder(request, options)).order).toMatchObject({ productId: 'p-1' });
});

test('one that waits carries it out when the first could not', async () => {
  const { held, first, second } = await firstAndSecond(request);
  getProduct = held.own;
  held.fail(statusError(status.UNAVAILABLE, 'no catalog just now'));
  await expect(first).rejects.toMatchObject({ code: status.UNAVAILABLE });
  expect((await second).order).toMatchObject({ quantity: 3 });
  expect(await stock.get('p-1')).toMatchObject({ available: 7 });
});

test('one that waits carries it out when the caller of the first went away', async () => {
  const leave = new AbortController();
  const { held, first, second } = await firstAndSecond(request, {
    first: { ...options, signal: leave.signal },
  });
  getProduct = held.own;
  leave.abort();
  await expect(first).rejects.toMatchObject({ code: status.CANCELLED });
  expect((await second).order).toMatchObject({ quantity: 3 });
  held.release();
});

test('one that waits has its own deadline', async () => {
  const { held, first, second } = await firstAndSecond(request, { second: { timeoutMs: 1_500 } });
  await expect(second).rejects.toMatchObject({ code: status.DEADLINE_EXCEEDED });
  held.release();
  expect((await first).order).toMatchObject({ quantity: 3 });
});

test('what is forgotten is still not done twice: the reservation is the same', async () => {
  const first = await (await startOrders()).createOrder(request, options);
  const restarted = await startOrders();
  expect(await restarted.createOrder(request, options)).toEqual(first);
  const another = await startOrders();
  await expect(another.createOrder({ ...request, quantity: 4 }, options)).rejects.toMatchObject(refusal);
  expect(await stock.get('p-1')).toMatchObject({ available: 7, reserved: 3 });
  expect((await restarted.createOrder({ ...request, requestId: randomUUID() }, options)).order?.id).not.toBe(
    first.order?.id,
  );
});

test('an id that is no UUID', async () => {
  const orders = await startOrders();
  await expect(orders.createOrder({ ...request, requestId: 'mine' }, options)).rejects.toMatchObject({
    code: status.INVALID_ARGUMENT,
    message: 'request_id: must be a valid UUID',
  });
});
