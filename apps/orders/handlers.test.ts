import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Metadata, status } from '@grpc/grpc-js';
import { create } from '@bufbuild/protobuf';
import { CatalogService } from '../../gen/shop/catalog/v1/catalog_pb.js';
import { InventoryService } from '../../gen/shop/inventory/v1/inventory_pb.js';
import { ListOrdersRequestSchema, OrdersService } from '../../gen/shop/orders/v1/orders_pb.js';
import { catalogHandlers } from '../catalog/handlers.ts';
import { sampleProducts } from '../catalog/sample.ts';
import { memoryCatalog } from '../catalog/store.ts';
import { inventoryHandlers } from '../inventory/handlers.ts';
import { memoryInventory } from '../inventory/store.ts';
import type { InventoryStore } from '../inventory/store.ts';
import { serviceClient } from '../runtime/client.ts';
import type { ServiceClient } from '../runtime/client.ts';
import { implement } from '../runtime/handlers.ts';
import { readPage } from '../runtime/paging.ts';
import { statusError } from '../runtime/status.ts';
import { startLocal } from '../testing/local.ts';
import type { Local } from '../testing/local.ts';
import { ordersHandlers } from './handlers.ts';
import { memoryRequestLog } from './request-log.ts';
import { memoryOrders } from './store.ts';
import type { StoredOrder } from './store.ts';

const options = { timeoutMs: 20_000 };
let locals: Local[] = [];
let stock: InventoryStore;
let orders: ServiceClient<typeof OrdersService>;
let inventoryLocal: Local;
let catalogClient: ServiceClient<typeof CatalogService>;

beforeEach(async () => {
  stock = memoryInventory({ 'p-1': 10 });
  const catalog = implement(CatalogService, catalogHandlers(memoryCatalog(sampleProducts)));
  const inventory = implement(InventoryService, inventoryHandlers(stock));
  const catalogLocal = await startLocal([catalog], { servedBy: 'a/catalog' });
  inventoryLocal = await startLocal([inventory], { servedBy: 'b/inventory' });
  catalogClient = serviceClient(CatalogService, catalogLocal.channel);
  const dependencies = {
    store: memoryOrders(),
    requests: memoryRequestLog<StoredOrder>(),
    catalog: catalogClient,
    inventory: serviceClient(InventoryService, inventoryLocal.channel),
  };
  const ordersLocal = await startLocal([implement(OrdersService, ordersHandlers(dependencies))], {
    servedBy: 'a/orders',
  });
  orders = serviceClient(OrdersService, ordersLocal.channel);
  locals = [catalogLocal, inventoryLocal, ordersLocal];
});
afterEach(() => Promise.all(locals.map((local) => local.stop())));

describe('CreateOrder', () => {
  test('prices the product, reserves the stock and says who served', async () => {
    let header = new Metadata();
    const onHeader = (received: Metadata) => (header = received);
    const { order } = await orders.createOrder({ productId: 'p-1', quantity: 3 }, { ...options, onHeader });
    expect(order).toMatchObject({
      productId: 'p-1',
      quantity: 3,
      total: { currencyCode: 'EUR', minorUnits: 14_700n },
    });
    expect([header.get('x-served-by'), header.get('x-inventory-served-by')]).toEqual([
      ['a/orders'],
      ['b/inventory'],
    ]);
    expect(await stock.get('p-1')).toMatchObject({ available: 7, reserved: 3 });
    expect((await orders.getOrder({ id: order?.id ?? '' }, options)).order).toEqual(order);
  });

  test.each([
    ['', 1, status.INVALID_ARGUMENT, 'product_id: value is required'],
    ['p-1', 0, status.INVALID_ARGUMENT, 'quantity: must be greater than or equal to 1'],
    ['p-0', 1, status.NOT_FOUND, 'catalog: id: no product "p-0"'],
    [
      'p-1',
      11,
      status.FAILED_PRECONDITION,
      'inventory: quantity: requested 11 of product "p-1"; available 10',
    ],
    ['p-2', 1, status.NOT_FOUND, 'inventory: product_id: product "p-2" was never stocked'],
  ])('refuses product %j, quantity %d', async (productId, quantity, code, message) => {
    const call = orders.createOrder({ productId, quantity }, options);
    await expect(call).rejects.toMatchObject({ code, message });
    expect((await orders.listOrders({}, options)).orders).toEqual([]);
  });

  test('a refusal by the inventory also says who served', async () => {
    const error = await orders
      .createOrder({ productId: 'p-1', quantity: 11 }, options)
      .catch((e: unknown) => e);
    expect((error as { metadata: Metadata }).metadata.get('x-inventory-served-by')).toEqual(['b/inventory']);
  });

  test('an inventory that is away', async () => {
    await inventoryLocal.server.drain();
    await expect(orders.createOrder({ productId: 'p-1', quantity: 1 }, options)).rejects.toMatchObject({
      code: status.UNAVAILABLE,
      message: expect.stringMatching(/^inventory: /),
    });
  });

  test('a refusal that is no matter of the caller is our failure', async () => {
    const refuse = () => Promise.reject(statusError(status.PERMISSION_DENIED, 'RBAC: access denied'));
    const handlers = ordersHandlers({
      store: memoryOrders(),
      requests: memoryRequestLog(),
      catalog: { ...catalogClient, getProduct: refuse },
      inventory: { reserve: refuse },
    });
    const local = await startLocal([implement(OrdersService, handlers)]);
    locals.push(local);
    await expect(
      serviceClient(OrdersService, local.channel).createOrder({ productId: 'p-1', quantity: 1 }, options),
    ).rejects.toMatchObject({ code: status.INTERNAL, message: 'catalog: PERMISSION_DENIED' });
  });
});

test('ListOrders: newest first, a page at a time, steady while orders come in', async () => {
  const ids: string[] = [];
  const create = async () => {
    const { order } = await orders.createOrder({ productId: 'p-1', quantity: 1 }, options);
    ids.unshift(order?.id ?? '');
  };
  for (let made = 0; made < 3; made++) await create();
  const before = [...ids];
  const first = await orders.listOrders({ pageSize: 2 }, options);
  await create();
  const second = await orders.listOrders({ pageSize: 2, pageToken: first.nextPageToken }, options);
  expect([...first.orders, ...second.orders].map((order) => order.id)).toEqual(before);
  expect(second.nextPageToken).toBe('');
  expect((await orders.listOrders({}, options)).orders.map((order) => order.id)).toEqual(ids);
});

test.each([
  ['', status.INVALID_ARGUMENT, 'id: value is required'],
  ['o-0', status.NOT_FOUND, 'id: no order "o-0"'],
])('GetOrder of %j', async (id, code, message) => {
  await expect(orders.getOrder({ id }, options)).rejects.toMatchObject({ code, message });
});

test('ListOrders of one product, and its token for no other', async () => {
  await stock.set('p-2', 10);
  for (const productId of ['p-1', 'p-2', 'p-1', 'p-1']) {
    await orders.createOrder({ productId, quantity: 1 }, options);
  }
  const first = await orders.listOrders({ productId: 'p-1', pageSize: 2 }, options);
  const pageToken = first.nextPageToken;
  const second = await orders.listOrders({ productId: 'p-1', pageSize: 1, pageToken }, options);
  expect([...first.orders, ...second.orders].map((order) => order.productId)).toEqual(['p-1', 'p-1', 'p-1']);
  expect(second.nextPageToken).toBe('');
  await expect(orders.listOrders({ pageToken }, options)).rejects.toMatchObject({
    code: status.INVALID_ARGUMENT,
    message:
      'page_token: belongs to a request with other fields; only page_size may change from page to page',
  });
});

test('ListOrders with a token whose order is not there', async () => {
  const { tokenAfter } = readPage(ListOrdersRequestSchema, create(ListOrdersRequestSchema));
  const pageToken = tokenAfter('o-0');
  await expect(orders.listOrders({ pageToken }, options)).rejects.toMatchObject({
    code: status.INVALID_ARGUMENT,
    message: 'page_token: the order it refers to does not exist',
  });
});
