import { once } from 'node:events';
import { afterEach, expect, test } from '@jest/globals';
import { status } from '@grpc/grpc-js';
import { CatalogService } from '../../../gen/test/catalog/v1/catalog_pb.js';
import { InventoryService } from '../../../gen/test/inventory/v1/inventory_pb.js';
import { collect } from '../../testing/collect.ts';
import { startLocal, unused } from '../../testing/local.ts';
import type { Local } from '../../testing/local.ts';
import { serviceClient } from '../client.ts';
import { implement } from '../handlers.ts';
import type { Handlers } from '../handlers.ts';
import { statusError } from '../status.ts';

const started: Local[] = [];
afterEach(async () => {
  await Promise.all(started.splice(0).map((local) => local.stop()));
});

async function startStock(handlers: Partial<Handlers<typeof InventoryService>>) {
  const all = { getStock: unused, reserve: unused, importStock: unused, syncStock: unused, ...handlers };
  const local = await startLocal([implement(InventoryService, all)]);
  started.push(local);
  return serviceClient(InventoryService, local.channel);
}

async function startPrices(watchPrices: Handlers<typeof CatalogService>['watchPrices']) {
  const all = { getProduct: unused, listProducts: unused, watchPrices };
  const local = await startLocal([implement(CatalogService, all)]);
  started.push(local);
  return serviceClient(CatalogService, local.channel);
}

test('a client stream is answered once, whether its requests are at hand or come later', async () => {
  const client = await startStock({
    importStock: async (requests) => ({ imported: (await collect(requests)).length }),
  });
  const entries = [1, 2, 3].map((quantity) => ({ productId: 'p-1', quantity }));
  async function* later() {
    for (const entry of entries) {
      await new Promise(setImmediate);
      yield entry;
    }
  }
  expect(await client.importStock(entries)).toMatchObject({ imported: 3 });
  expect(await client.importStock(later(), { timeoutMs: 20_000 })).toMatchObject({ imported: 3 });
});

test('a two-way stream answers while requests still come', async () => {
  const client = await startStock({
    syncStock: async function* (requests) {
      for await (const { productId, available } of requests) yield { stock: { productId, available } };
    },
  });
  const gates = [Promise.withResolvers<undefined>(), Promise.withResolvers<undefined>()];
  async function* requests() {
    yield { productId: 'a', available: 1 };
    await gates[0]!.promise;
    yield { productId: 'b', available: 2 };
    await gates[1]!.promise;
  }
  const seen: unknown[] = [];
  for await (const { stock } of client.syncStock(requests())) {
    gates[seen.length]!.resolve(undefined);
    seen.push([stock?.productId, stock?.available]);
  }
  expect(seen).toEqual([
    ['a', 1],
    ['b', 2],
  ]);
});

test('what the requests throw cancels the call and is its outcome', async () => {
  const [received, aborted] = [Promise.withResolvers<string>(), Promise.withResolvers<undefined>()];
  const client = await startStock({
    importStock: async (requests, { signal }) => {
      signal.addEventListener('abort', () => {
        aborted.resolve(undefined);
      });
      for await (const { productId } of requests) received.resolve(productId);
      return {};
    },
  });
  async function* requests() {
    yield { productId: 'p-1', quantity: 1 };
    await received.promise;
    throw new Error('the file ends in the middle of a line');
  }
  await expect(client.importStock(requests())).rejects.toThrow('the file ends in the middle of a line');
  await aborted.promise;
});

test('requests are not taken any more when the server has answered', async () => {
  const client = await startStock({
    importStock: () => {
      throw statusError(status.RESOURCE_EXHAUSTED, 'no room');
    },
  });
  const returned = Promise.withResolvers<undefined>();
  async function* requests() {
    try {
      for (;;) {
        await new Promise(setImmediate);
        yield { productId: 'p-1', quantity: 1 };
      }
    } finally {
      returned.resolve(undefined);
    }
  }
  await expect(client.importStock(requests())).rejects.toMatchObject({
    code: status.RESOURCE_EXHAUSTED,
    message: 'no room',
  });
  await returned.promise;
});

test('leaving the loop cancels the call', async () => {
  const aborted = Promise.withResolvers<undefined>();
  const client = await startPrices(async function* (_, { signal }) {
    signal.addEventListener('abort', () => {
      aborted.resolve(undefined);
    });
    for (;;) {
      await new Promise(setImmediate);
      yield { productId: 'p-1' };
    }
  });
  for await (const { productId } of client.watchPrices({})) {
    expect(productId).toBe('p-1');
    break;
  }
  await aborted.promise;
});

test('a failure comes after the answers before it', async () => {
  const taken = Promise.withResolvers<undefined>();
  const client = await startPrices(async function* () {
    yield { productId: 'p-1' };
    await taken.promise;
    throw statusError(status.ABORTED, 'enough');
  });
  const seen: string[] = [];
  const failed = (async () => {
    for await (const { productId } of client.watchPrices({})) {
      seen.push(productId);
      taken.resolve(undefined);
    }
  })();
  await expect(failed).rejects.toMatchObject({ code: status.ABORTED, message: 'enough' });
  expect(seen).toEqual(['p-1']);
});

test('a failure that arrived before the answers were asked for is not lost', async () => {
  const thrown = Promise.withResolvers<undefined>();
  const client = await startPrices(async function* () {
    yield { productId: 'p-1' };
    await Promise.resolve();
    thrown.resolve(undefined);
    throw statusError(status.ABORTED, 'enough');
  });
  const answers = client.watchPrices({}, { timeoutMs: 20_000 });
  await thrown.promise;
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
  await expect(collect(answers)).rejects.toMatchObject({ code: status.ABORTED, message: 'enough' });
});

test("a stream ends with its parent's deadline, and is cancelled with its parent", async () => {
  const inner = await startPrices(async function* (_, { signal }) {
    yield { productId: 'p-1' };
    await once(signal, 'abort');
  });
  const outer = await startPrices(async function* (request, parent) {
    yield* inner.watchPrices(request, { parent });
  });
  await expect(collect(outer.watchPrices({}, { timeoutMs: 200 }))).rejects.toMatchObject({
    code: status.DEADLINE_EXCEEDED,
  });
});

test('a server is asked for no more answers than are taken', async () => {
  let made = 0;
  const client = await startPrices(async function* () {
    for (; made < 2_000; made++) yield { productId: 'x'.repeat(40_000) };
    await Promise.resolve();
  });
  let received = 0;
  for await (const answer of client.watchPrices({})) {
    expect(answer.productId).toHaveLength(40_000);
    received += 1;
    if (received === 1) for (let turn = 0; turn < 200; turn++) await new Promise(setImmediate);
    if (received === 1) expect(made).toBeLessThan(1_000);
  }
  expect(received).toBe(2_000);
});
