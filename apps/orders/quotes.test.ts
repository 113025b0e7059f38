import { once } from 'node:events';
import { afterEach, expect, test } from '@jest/globals';
import { status } from '@grpc/grpc-js';
import { CatalogService } from '../../gen/shop/catalog/v1/catalog_pb.js';
import { OrdersService } from '../../gen/shop/orders/v1/orders_pb.js';
import { catalogHandlers } from '../catalog/handlers.ts';
import { sampleProducts } from '../catalog/sample.ts';
import { memoryCatalog } from '../catalog/store.ts';
import { serviceClient } from '../runtime/client.ts';
import { implement } from '../runtime/handlers.ts';
import type { CallContext, Handlers } from '../runtime/handlers.ts';
import { statusError } from '../runtime/status.ts';
import { startLocal } from '../testing/local.ts';
import type { Local } from '../testing/local.ts';
import { ordersHandlers } from './handlers.ts';
import { memoryRequestLog } from './request-log.ts';
import { memoryOrders } from './store.ts';
import type { StoredOrder } from './store.ts';

type Catalog = Handlers<typeof CatalogService>;

const locals: Local[] = [];
afterEach(() => Promise.all(locals.splice(0).map((local) => local.stop())));

/** Orders before a catalog, each a server of its own, and how the catalog sees the calls that orders makes. */
async function start(other: Partial<Catalog> = {}) {
  const store = memoryCatalog(sampleProducts);
  const contexts: CallContext[] = [];
  const handlers = { ...catalogHandlers(store), ...other };
  const watched: Catalog = {
    ...handlers,
    watchPrices: (request, context) => {
      contexts.push(context);
      return handlers.watchPrices(request, context);
    },
  };
  const catalogLocal = await startLocal([implement(CatalogService, watched)]);
  const catalog = serviceClient(CatalogService, catalogLocal.channel);
  const inventory = {
    reserve: () => Promise.reject(statusError(status.UNIMPLEMENTED, 'a quote reserves nothing')),
  };
  const dependencies = {
    store: memoryOrders(),
    requests: memoryRequestLog<StoredOrder>(),
    catalog,
    inventory,
  };
  const local = await startLocal([implement(OrdersService, ordersHandlers(dependencies))]);
  locals.push(local, catalogLocal);
  return {
    orders: serviceClient(OrdersService, local.channel),
    catalog,
    store,
    contexts,
    local,
    catalogLocal,
  };
}

test('the quote now, and again at every change of the price', async () => {
  const { orders, store } = await start();
  const quotes = orders.watchQuote({ productId: 'p-1', quantity: 3 });
  const next = async () => (await quotes.next()).value?.total;
  expect(await next()).toMatchObject({ currencyCode: 'EUR', minorUnits: 14_700n });
  store.setPrice('p-2', 1n);
  store.setPrice('p-1', 5_000n);
  expect(await next()).toMatchObject({ currencyCode: 'EUR', minorUnits: 15_000n });
});

test.each([
  ['p-0', 1, status.NOT_FOUND, 'catalog: product_ids: no product "p-0"'],
  ['', 1, status.INVALID_ARGUMENT, 'product_id: value is required'],
  ['p-1', 0, status.INVALID_ARGUMENT, 'quantity: must be greater than or equal to 1'],
])('refuses product %j, quantity %d', async (productId, quantity, code, message) => {
  const { orders } = await start();
  await expect(orders.watchQuote({ productId, quantity }).next()).rejects.toMatchObject({ code, message });
});

test('a price that is none', async () => {
  const { orders } = await start({
    watchPrices: async function* () {
      yield await Promise.resolve({ productId: 'p-1' });
    },
  });
  await expect(orders.watchQuote({ productId: 'p-1', quantity: 1 }).next()).rejects.toMatchObject({
    code: status.FAILED_PRECONDITION,
    message: 'catalog: no price',
  });
});

test('a caller that leaves takes its call to the catalog along', async () => {
  const { orders, contexts } = await start();
  const quotes = orders.watchQuote({ productId: 'p-1', quantity: 1 });
  await quotes.next();
  const { signal } = contexts[0]!;
  const left = signal.aborted ? Promise.resolve() : once(signal, 'abort');
  await quotes.return();
  await left;
  expect(signal.reason).toMatchObject({ code: status.CANCELLED });
});

test('who does not read holds the catalog back, and goes on from there', async () => {
  let made = 0;
  const { orders, catalog } = await start({
    watchPrices: async function* (_, { signal }) {
      while (!signal.aborted) {
        made += 1;
        yield { price: { currencyCode: 'x'.repeat(100_000), minorUnits: BigInt(made) } };
        await new Promise(setImmediate);
      }
    },
  });
  const quotes = orders.watchQuote({ productId: 'p-1', quantity: 1 });
  expect((await quotes.next()).value?.total?.minorUnits).toBe(1n);
  // Time in which a catalog that is not held back would make more than this.
  for (let calls = 0; calls < 300; calls++) await catalog.getProduct({ id: 'p-1' }, { timeoutMs: 20_000 });
  expect(made).toBeLessThan(100);
  for (let taken = 2; taken <= 100; taken++) {
    expect((await quotes.next()).value?.total?.minorUnits).toBe(BigInt(taken));
  }
  await quotes.return();
});

test.each(['local', 'catalogLocal'] as const)(
  '%s that stops ends it, and asks to call again',
  async (which) => {
    const started = await start();
    const quotes = started.orders.watchQuote({ productId: 'p-1', quantity: 1 });
    await quotes.next();
    const [, drained] = await Promise.all([
      expect(quotes.next()).rejects.toMatchObject({
        code: status.UNAVAILABLE,
        message: `${which === 'local' ? '' : 'catalog: '}the server is stopping; call again`,
      }),
      started[which].server.drain(),
    ]);
    expect(drained).toBe(true);
  },
);
