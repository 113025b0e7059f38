import { afterEach, expect, test } from '@jest/globals';
import { status } from '@grpc/grpc-js';
import type { Metadata } from '@grpc/grpc-js';
import { CatalogService } from '../../../gen/test/catalog/v1/catalog_pb.js';
import { InventoryService } from '../../../gen/test/inventory/v1/inventory_pb.js';
import { collect } from '../../testing/collect.ts';
import { startLocal } from '../../testing/local.ts';
import type { Local } from '../../testing/local.ts';
import { serviceClient } from '../client.ts';
import type { CallContext } from '../handlers.ts';
import { statusError } from '../status.ts';

const started: Local[] = [];
afterEach(async () => {
  await Promise.all(started.splice(0).map((local) => local.stop()));
});

/** Each kind of method; those for `fail` end with an error. Each has a trailer. */
async function startBoth() {
  const answer = (fail: boolean, { trailer }: CallContext) => {
    trailer.set('x-note', 'told');
    if (fail) throw statusError(status.ABORTED, 'enough');
    return {};
  };
  const drained = async (requests: AsyncIterable<{ productId: string }>) => {
    let fails = false;
    for await (const { productId } of requests) fails ||= productId === 'fail';
    return fails;
  };
  const catalog = {
    getProduct: ({ id }: { id: string }, context: CallContext) => answer(id === 'fail', context),
    listProducts: () => ({}),
    watchPrices: async function* ({ productIds }: { productIds: string[] }, context: CallContext) {
      yield { productId: 'p-1' };
      await Promise.resolve();
      answer(productIds.includes('fail'), context);
    },
  };
  const inventory = {
    getStock: () => ({}),
    reserve: () => ({}),
    importStock: async (requests: AsyncIterable<{ productId: string }>, context: CallContext) =>
      answer(await drained(requests), context),
    syncStock: async function* (requests: AsyncIterable<{ productId: string }>, context: CallContext) {
      yield {};
      answer(await drained(requests), context);
    },
  };
  const local = await startLocal([
    { service: CatalogService, handlers: catalog },
    { service: InventoryService, handlers: inventory },
  ]);
  started.push(local);
  return {
    catalog: serviceClient(CatalogService, local.channel),
    inventory: serviceClient(InventoryService, local.channel),
  };
}

type Clients = Awaited<ReturnType<typeof startBoth>>;
interface Told {
  readonly onTrailer: (trailer: Metadata) => void;
}

const kinds: readonly [string, (clients: Clients, id: string, told: Told) => Promise<unknown>][] = [
  ['unary', ({ catalog }, id, told) => catalog.getProduct({ id }, { timeoutMs: 20_000, ...told })],
  ['server streaming', ({ catalog }, id, told) => collect(catalog.watchPrices({ productIds: [id] }, told))],
  ['client streaming', ({ inventory }, id, told) => inventory.importStock([{ productId: id }], told)],
  ['bidirectional', ({ inventory }, id, told) => collect(inventory.syncStock([{ productId: id }], told))],
];

test.each(kinds)('the trailer of a %s call is told before its outcome, OK or not', async (_, call) => {
  const clients = await startBoth();
  const events: unknown[] = [];
  const onTrailer = (trailer: Metadata) => {
    events.push(trailer.get('x-note'));
  };
  await call(clients, 'p-1', { onTrailer }).then(() => events.push('ok'));
  await call(clients, 'fail', { onTrailer }).catch((error: unknown) => events.push(error));
  expect(events).toMatchObject([['told'], 'ok', ['told'], { code: status.ABORTED, message: 'enough' }]);
});

test.each(kinds)('A1: what is thrown when a %s call has ended is its outcome alone', async (_, call) => {
  const clients = await startBoth();
  const onTrailer = () => {
    throw new Error('thrown by a test');
  };
  for (const id of ['p-1', 'fail']) {
    await expect(call(clients, id, { onTrailer })).rejects.toThrow('thrown by a test');
  }
  await call(clients, 'p-1', { onTrailer: () => undefined });
});
