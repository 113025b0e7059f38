import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from '@jest/globals';
import { Metadata, status } from '@grpc/grpc-js';
import type { ServiceError } from '@grpc/grpc-js';
import {
  Health,
  HealthCheckResponse_ServingStatus as ServingStatus,
} from '../../gen/grpc/health/v1/health_pb.js';
import { CatalogService } from '../../gen/test/catalog/v1/catalog_pb.js';
import { InventoryService } from '../../gen/test/inventory/v1/inventory_pb.js';
import { startLocal, streams, unused } from '../testing/local.ts';
import type { Local } from '../testing/local.ts';
import { serviceClient } from './client.ts';
import { implement } from './handlers.ts';
import type { CallContext, Handlers } from './handlers.ts';
import { statusError } from './status.ts';

const started: Local[] = [];
afterEach(async () => {
  await Promise.all(started.splice(0).map((local) => local.stop()));
});

async function startCatalog(
  handlers: Partial<Handlers<typeof CatalogService>>,
  drain: { readonly drainDelayMs?: number; readonly drainLimitMs?: number } = {},
): Promise<Local> {
  const all = { getProduct: unused, listProducts: unused, watchPrices: unused, ...handlers };
  const local = await startLocal([implement(CatalogService, all)], { drainLimitMs: 500, ...drain });
  started.push(local);
  return local;
}

async function startInventory(handlers: Partial<Handlers<typeof InventoryService>>): Promise<Local> {
  const all = { getStock: unused, reserve: unused, importStock: unused, syncStock: unused, ...handlers };
  const local = await startLocal([implement(InventoryService, all)]);
  started.push(local);
  return local;
}

describe('unary', () => {
  test('answers with the message and x-served-by in the initial metadata', async () => {
    const local = await startCatalog({
      getProduct: (request) => ({ product: { id: request.id, name: 'Lamp' } }),
    });
    const headers: Metadata[] = [];
    const answer = await serviceClient(CatalogService, local.channel).getProduct(
      { id: 'p-1' },
      { timeoutMs: 20_000, onHeader: (header) => headers.push(header) },
    );
    expect(answer.product).toMatchObject({ id: 'p-1', name: 'Lamp' });
    expect(headers.map((header) => header.get('x-served-by'))).toEqual([['test/pod']]);
  });

  test("an error carries the handler's code, message and metadata, and x-served-by", async () => {
    const trailer = new Metadata();
    trailer.set('x-hint', 'try p-1');
    const local = await startCatalog({
      getProduct: () => {
        throw statusError(status.NOT_FOUND, 'no such product: 50% \ud800 ü', [], trailer);
      },
    });
    const call = serviceClient(CatalogService, local.channel).getProduct({ id: 'x' }, { timeoutMs: 20_000 });
    const error = await call.catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: status.NOT_FOUND, message: 'no such product: 50% \ufffd ü' });
    const { metadata } = error as { metadata: Metadata };
    expect([metadata.get('x-hint'), metadata.get('x-served-by')]).toEqual([['try p-1'], ['test/pod']]);
  });

  test('an unexpected error tells the caller nothing of the inside', async () => {
    const local = await startCatalog({
      getProduct: () => Promise.reject(new Error('password is hunter2')),
    });
    await expect(
      serviceClient(CatalogService, local.channel).getProduct({ id: 'x' }, { timeoutMs: 20_000 }),
    ).rejects.toMatchObject({ code: status.INTERNAL, message: 'internal error' });
  });

  test("passes the caller's deadline and cancellation on to the next call", async () => {
    const seen: CallContext[] = [];
    const inner = await startCatalog({
      getProduct: async (_, context) => {
        seen.push(context);
        if (!context.signal.aborted) await once(context.signal, 'abort');
        return {};
      },
    });
    const next = serviceClient(CatalogService, inner.channel);
    const outer = await startCatalog({
      getProduct: (request, context) => next.getProduct(request, { parent: context, timeoutMs: 60_000 }),
    });
    const metadata = new Metadata();
    metadata.set('traceparent', '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01');
    metadata.set('authorization', 'Bearer secret');
    const abort = new AbortController();
    const options = { timeoutMs: 20_000, metadata, signal: abort.signal };
    const call = serviceClient(CatalogService, outer.channel).getProduct({ id: 'x' }, options);
    const failed = expect(call).rejects.toMatchObject({ code: status.CANCELLED });
    while (seen.length === 0) await sleep(5);
    abort.abort();
    await failed;
    const [context] = seen;
    expect(context?.metadata.get('traceparent')).toEqual(metadata.get('traceparent'));
    expect(context?.metadata.get('authorization')).toEqual([]);
    expect(context?.deadline).toBeLessThanOrEqual(Date.now() + 20_000);
    if (context?.signal.aborted === false) await once(context.signal, 'abort');
  });

  test('a deadline that passes ends the call on both sides', async () => {
    const seen: AbortSignal[] = [];
    const local = await startCatalog({
      getProduct: async (_, { signal }) => {
        seen.push(signal);
        await once(signal, 'abort');
        return {};
      },
    });
    await expect(
      serviceClient(CatalogService, local.channel).getProduct({ id: 'x' }, { timeoutMs: 1_500 }),
    ).rejects.toMatchObject({ code: status.DEADLINE_EXCEEDED });
    while (seen[0]?.aborted !== true) await sleep(5);
  });
});

describe('streams', () => {
  test('a server stream is asked for no more than the caller takes', async () => {
    let made = 0;
    const local = await startCatalog({
      watchPrices: async function* () {
        for (; made < 3_000; made++) yield { productId: 'x'.repeat(40_000) };
        await Promise.resolve();
      },
    });
    const call = streams(local.channel, CatalogService.method.watchPrices).serverStream({});
    call.pause();
    while (made === 0) await sleep(5);
    // Time in which a server that is not held back would make more than this.
    for (let turn = 0; turn < 500; turn++) await new Promise(setImmediate);
    expect(made).toBeLessThan(1_000);
    let received = 0;
    call.on('data', () => (received += 1));
    call.resume();
    await once(call, 'end');
    expect(received).toBe(3_000);
  });

  test('a server stream ends at the handler when the caller cancels', async () => {
    const ended = Promise.withResolvers<undefined>();
    const local = await startCatalog({
      watchPrices: async function* (_, { signal }) {
        yield { productId: 'p-1' };
        await once(signal, 'abort');
        ended.resolve(undefined);
      },
    });
    const call = streams(local.channel, CatalogService.method.watchPrices).serverStream({});
    const failed = once(call, 'error');
    call.once('data', () => {
      call.cancel();
    });
    expect((await failed)[0]).toMatchObject({ code: status.CANCELLED });
    await ended.promise;
  });

  test('an error after some messages comes after them', async () => {
    const local = await startCatalog({
      watchPrices: async function* () {
        yield { productId: 'p-1' };
        await Promise.resolve();
        throw statusError(status.ABORTED, 'enough');
      },
    });
    const call = streams(local.channel, CatalogService.method.watchPrices).serverStream({});
    const header = once(call, 'metadata');
    const received: string[] = [];
    const failed = (async () => {
      for await (const message of call as AsyncIterable<{ productId: string }>)
        received.push(message.productId);
    })();
    await expect(failed).rejects.toMatchObject({ code: status.ABORTED, details: 'enough' });
    expect(received).toEqual(['p-1']);
    expect(((await header)[0] as Metadata).get('x-served-by')).toEqual(['test/pod']);
  });

  test('a client stream may be answered before its end', async () => {
    const local = await startInventory({
      importStock: async (requests) => {
        for await (const request of requests) return { imported: request.quantity };
        return {};
      },
    });
    const { call, answer } = streams(local.channel, InventoryService.method.importStock).clientStream();
    call.write({ productId: 'p-1', quantity: 7 });
    expect(await answer).toMatchObject({ imported: 7 });
  });

  test('a two-way stream answers as the requests come', async () => {
    const local = await startInventory({
      syncStock: async function* (requests) {
        for await (const request of requests) yield { stock: { productId: request.productId } };
      },
    });
    const call = streams(local.channel, InventoryService.method.syncStock).duplex();
    for (const productId of ['p-1', 'p-2']) {
      call.write({ productId });
      expect((await once(call, 'data'))[0]).toMatchObject({ stock: { productId } });
    }
    call.end();
    expect((await once(call, 'status'))[0]).toMatchObject({ code: status.OK });
  });
});

describe('health', () => {
  test('check: the server, a service, an unknown one', async () => {
    const local = await startCatalog({});
    const health = serviceClient(Health, local.channel);
    const options = { timeoutMs: 20_000 };
    expect(await health.check({}, options)).toMatchObject({ status: ServingStatus.SERVING });
    expect(await health.check({ service: CatalogService.typeName }, options)).toMatchObject({
      status: ServingStatus.SERVING,
    });
    await expect(health.check({ service: 'shop.Nothing' }, options)).rejects.toMatchObject({
      code: status.NOT_FOUND,
      message: 'service: "shop.Nothing" is not served here',
    });
  });

  test('watch: serving, then not serving at once when draining, then the end', async () => {
    const local = await startCatalog({}, { drainDelayMs: 100 });
    const call = streams(local.channel, Health.method.watch).serverStream({
      service: CatalogService.typeName,
    });
    const seen: unknown[] = [];
    call.on('data', (message: { status: ServingStatus }) => seen.push(message.status));
    const ended = once(call, 'error') as Promise<[ServiceError]>;
    await once(call, 'data');
    const drained = local.server.drain();
    expect((await ended)[0]).toMatchObject({
      code: status.UNAVAILABLE,
      details: 'the server is stopping; call again',
    });
    await drained;
    expect(seen).toEqual([ServingStatus.SERVING, ServingStatus.NOT_SERVING]);
  });

  test('watch: an unknown service', async () => {
    const local = await startCatalog({});
    const call = streams(local.channel, Health.method.watch).serverStream({ service: 'shop.Nothing' });
    expect((await once(call, 'data'))[0]).toMatchObject({ status: ServingStatus.SERVICE_UNKNOWN });
    call.on('error', () => undefined).cancel();
  });
});

describe('drain', () => {
  test('takes calls during the delay, finishes those in flight, then refuses', async () => {
    const gate = Promise.withResolvers<undefined>();
    const local = await startCatalog(
      { getProduct: async ({ id }) => (id === 'slow' ? gate.promise.then(() => ({ product: { id } })) : {}) },
      { drainDelayMs: 2_000, drainLimitMs: 20_000 },
    );
    const client = serviceClient(CatalogService, local.channel);
    const slow = client.getProduct({ id: 'slow' }, { timeoutMs: 20_000 });
    await client.getProduct({ id: 'warm' }, { timeoutMs: 20_000 });
    const drained = local.server.drain();
    await client.getProduct({ id: 'late' }, { timeoutMs: 20_000 });
    // The delay is over when calls are refused, of which those for its health do not prolong it.
    const health = serviceClient(Health, local.channel);
    const again = (): Promise<unknown> => health.check({}, { timeoutMs: 20_000 }).then(again);
    await expect(again()).rejects.toMatchObject({ code: status.UNAVAILABLE });
    gate.resolve(undefined);
    expect((await slow).product?.id).toBe('slow');
    expect(await drained).toBe(true);
  });

  test('cuts what does not finish within the limit, and says so', async () => {
    const arrived = Promise.withResolvers<undefined>();
    const local = await startCatalog({
      getProduct: () => {
        arrived.resolve(undefined);
        return new Promise(() => undefined);
      },
    });
    const call = serviceClient(CatalogService, local.channel).getProduct({ id: 'x' }, { timeoutMs: 20_000 });
    const failed = expect(call).rejects.toMatchObject({ code: status.CANCELLED });
    await arrived.promise;
    expect(await local.server.drain()).toBe(false);
    await failed;
  });
});

test('a port that is taken is said so', async () => {
  const local = await startCatalog({});
  await expect(startLocal([], { port: local.server.port })).rejects.toThrow(
    `cannot listen on ${local.address}: No address added out of total 1 resolved`,
  );
});

test('connections of age are replaced under load without a failed call', async () => {
  const peers = new Set<string>();
  const handlers = { getProduct: () => ({}), listProducts: unused, watchPrices: unused };
  const countPeers = () => (context: CallContext) => {
    peers.add(context.peer);
    return undefined;
  };
  const local = await startLocal([implement(CatalogService, handlers)], {
    maxConnectionAgeMs: 100,
    interceptors: [countPeers],
  });
  started.push(local);
  const client = serviceClient(CatalogService, local.channel);
  let calls = 0;
  const caller = async () => {
    while (peers.size < 5) {
      await client.getProduct({ id: 'p-1' }, { timeoutMs: 10_000 });
      calls += 1;
    }
  };
  await Promise.all(Array.from({ length: 8 }, caller));
  expect(calls).toBeGreaterThan(5);
});
