import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { status } from '@grpc/grpc-js';
import fc from 'fast-check';
import { ErrorInfoSchema } from '../../gen/google/rpc/error_details_pb.js';
import { InventoryService } from '../../gen/shop/inventory/v1/inventory_pb.js';
import type { SyncStockResponse } from '../../gen/shop/inventory/v1/inventory_pb.js';
import { sampleProducts } from '../catalog/sample.ts';
import { serviceClient } from '../runtime/client.ts';
import type { ServiceClient } from '../runtime/client.ts';
import { implement } from '../runtime/handlers.ts';
import { findDetail } from '../runtime/status.ts';
import type { StatusError } from '../runtime/status.ts';
import { startLocal, streams } from '../testing/local.ts';
import type { Local } from '../testing/local.ts';
import { inventoryHandlers } from './handlers.ts';
import { sampleStock } from './sample.ts';
import { memoryInventory } from './store.ts';

const options = { timeoutMs: 20_000 };
let local: Local;
let client: ServiceClient<typeof InventoryService>;

beforeEach(async () => {
  const store = memoryInventory({ 'p-1': 10, 'p-2': 0 });
  local = await startLocal([implement(InventoryService, inventoryHandlers(store))]);
  client = serviceClient(InventoryService, local.channel);
});
afterEach(() => local.stop());

test('the sample stocks what the sample catalog sells', () => {
  expect(Object.keys(sampleStock)).toEqual(sampleProducts.map((product) => product.id));
});

describe('GetStock', () => {
  test('of a product', async () => {
    const { stock } = await client.getStock({ productId: 'p-1' }, options);
    expect(stock).toMatchObject({ productId: 'p-1', available: 10, reserved: 0 });
  });

  test.each([
    ['', status.INVALID_ARGUMENT, 'product_id: value is required'],
    ['p-9', status.NOT_FOUND, 'product_id: product "p-9" was never stocked'],
  ])('of %j', async (productId, code, message) => {
    await expect(client.getStock({ productId }, options)).rejects.toMatchObject({ code, message });
  });
});

describe('Reserve', () => {
  test('sets units aside, once for each reservation id', async () => {
    const request = { reservationId: 'r-1', productId: 'p-1', quantity: 4 };
    const first = await client.reserve(request, options);
    expect(first).toMatchObject({ reservationId: 'r-1', stock: { available: 6, reserved: 4 } });
    expect(await client.reserve(request, options)).toEqual(first);
    const second = await client.reserve({ ...request, reservationId: 'r-2' }, options);
    expect(second.stock).toMatchObject({ available: 2, reserved: 8 });
  });

  test.each([{ quantity: 5 }, { productId: 'p-2' }])('refuses an id in use with %j', async (other) => {
    const request = { reservationId: 'r-1', productId: 'p-1', quantity: 4 };
    await client.reserve(request, options);
    const error = await client.reserve({ ...request, ...other }, options).catch((e: unknown) => e);
    expect(error).toMatchObject({
      code: status.ALREADY_EXISTS,
      message: 'reservation_id: "r-1" was used for another product or quantity; use a new one',
    });
    expect(findDetail(error as StatusError, ErrorInfoSchema)).toMatchObject({
      reason: 'RESERVATION_ID_REUSED',
      domain: 'inventory.shop.example',
    });
    expect((await client.getStock({ productId: 'p-1' }, options)).stock).toMatchObject({ available: 6 });
  });

  test.each([
    [{ reservationId: '' }, status.INVALID_ARGUMENT, 'reservation_id: value is required'],
    [{ productId: '' }, status.INVALID_ARGUMENT, 'product_id: value is required'],
    [{ quantity: 0 }, status.INVALID_ARGUMENT, 'quantity: must be greater than or equal to 1'],
    [{ productId: 'p-9' }, status.NOT_FOUND, 'product_id: product "p-9" was never stocked'],
    [{ quantity: 11 }, status.FAILED_PRECONDITION, 'quantity: requested 11 of product "p-1"; available 10'],
  ])('refuses %j and leaves the stock as it was', async (wrong, code, message) => {
    const request = { reservationId: 'r-1', productId: 'p-1', quantity: 1, ...wrong };
    await expect(client.reserve(request, options)).rejects.toMatchObject({ code, message });
    expect((await client.getStock({ productId: 'p-1' }, options)).stock).toMatchObject({ available: 10 });
  });

  test('never promises more than there is, and loses nothing', async () => {
    const wanted = fc.array(fc.record({ id: fc.nat(5), quantity: fc.integer({ min: 1, max: 6 }) }));
    await fc.assert(
      fc.asyncProperty(wanted, fc.nat(20), async (reservations, stocked) => {
        const store = memoryInventory({ 'p-1': stocked });
        for (const { id, quantity } of reservations) {
          const reservation = { reservationId: `r-${id}`, productId: 'p-1', quantity };
          await store.reserve(reservation);
          const stock = await store.get('p-1');
          expect(stock?.available).toBeGreaterThanOrEqual(0);
          expect((stock?.available ?? 0) + (stock?.reserved ?? 0)).toBe(stocked);
        }
      }),
    );
  });
});

describe('ImportStock', () => {
  const importAll = (entries: readonly { productId: string; quantity: number }[]) => {
    const { call, answer } = streams(local.channel, InventoryService.method.importStock).clientStream();
    for (const entry of entries) call.write(entry);
    call.end();
    return answer;
  };

  test('adds, and answers how many entries it took', async () => {
    const answer = await importAll([
      { productId: 'p-1', quantity: 5 },
      { productId: 'p-9', quantity: 1 },
      { productId: 'p-1', quantity: 2 },
    ]);
    expect(answer?.imported).toBe(3);
    expect((await client.getStock({ productId: 'p-1' }, options)).stock?.available).toBe(17);
    expect((await client.getStock({ productId: 'p-9' }, options)).stock?.available).toBe(1);
  });

  test.each([
    [{ productId: '', quantity: 1 }, status.INVALID_ARGUMENT, 'request 2: product_id: value is required'],
    [
      { productId: 'p-1', quantity: -1 },
      status.INVALID_ARGUMENT,
      'request 2: quantity: must be greater than or equal to 0',
    ],
    [
      { productId: 'p-1', quantity: 2_147_483_647 },
      status.OUT_OF_RANGE,
      'quantity: product "p-1" would have more than 2147483647 units',
    ],
  ])('takes nothing when an entry is %j', async (wrong, code, details) => {
    await expect(importAll([{ productId: 'p-1', quantity: 1 }, wrong])).rejects.toMatchObject({
      code,
      details,
    });
    expect((await client.getStock({ productId: 'p-1' }, options)).stock?.available).toBe(10);
  });

  test('refuses a sum beyond int32 that comes from the stock', async () => {
    await expect(importAll([{ productId: 'p-1', quantity: 2_147_483_640 }])).rejects.toMatchObject({
      code: status.OUT_OF_RANGE,
    });
  });

  test('refuses more products than it holds', async () => {
    const entries = Array.from({ length: 10_001 }, (_, index) => ({ productId: `x-${index}`, quantity: 1 }));
    await expect(importAll(entries)).rejects.toMatchObject({
      code: status.RESOURCE_EXHAUSTED,
      details: 'more than 10000 products in one import; split it into several',
    });
  });
});

describe('SyncStock', () => {
  test("brings the caller's own changes and those of others, and ends after the caller", async () => {
    const call = streams(local.channel, InventoryService.method.syncStock).duplex();
    const next = async () => ((await once(call, 'data')) as [SyncStockResponse])[0].stock;
    call.write({ productId: 'p-2', available: 3 });
    expect(await next()).toMatchObject({ productId: 'p-2', available: 3, reserved: 0 });
    const other = next();
    await client.reserve({ reservationId: 'r-1', productId: 'p-1', quantity: 1 }, options);
    expect(await other).toMatchObject({ productId: 'p-1', available: 9, reserved: 1 });
    const last = next();
    const ended = once(call, 'status');
    call.write({ productId: 'p-1', available: 0 });
    call.end();
    expect(await last).toMatchObject({ productId: 'p-1', available: 0, reserved: 1 });
    expect((await ended)[0]).toMatchObject({ code: status.OK });
  });

  test('ends with its server, whether the caller has said all or not', async () => {
    const call = streams(local.channel, InventoryService.method.syncStock).duplex();
    call.write({ productId: 'p-2', available: 3 });
    await once(call, 'data');
    const failed = once(call, 'error');
    const drained = local.server.drain();
    expect((await failed)[0]).toMatchObject({
      code: status.UNAVAILABLE,
      details: 'the server is stopping; call again',
    });
    expect(await drained).toBe(true);
  });

  test('refuses a wrong entry', async () => {
    const call = streams(local.channel, InventoryService.method.syncStock).duplex();
    const failed = once(call, 'error');
    call.resume().write({ productId: 'p-1', available: -1 });
    expect((await failed)[0]).toMatchObject({
      code: status.INVALID_ARGUMENT,
      details: 'request 1: available: must be greater than or equal to 0',
    });
  });
});
