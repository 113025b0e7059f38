import { once } from 'node:events';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { status } from '@grpc/grpc-js';
import { CatalogService } from '../../gen/shop/catalog/v1/catalog_pb.js';
import type { WatchPricesResponse } from '../../gen/shop/catalog/v1/catalog_pb.js';
import { serviceClient } from '../runtime/client.ts';
import type { ServiceClient } from '../runtime/client.ts';
import { implement } from '../runtime/handlers.ts';
import { startLocal, streams } from '../testing/local.ts';
import type { Local } from '../testing/local.ts';
import { catalogHandlers } from './handlers.ts';
import { movePrices, sampleProducts } from './sample.ts';
import { memoryCatalog } from './store.ts';
import type { MemoryCatalog } from './store.ts';

const options = { timeoutMs: 20_000 };
let local: Local;
let store: MemoryCatalog;
let client: ServiceClient<typeof CatalogService>;

beforeEach(async () => {
  store = memoryCatalog(sampleProducts);
  local = await startLocal([implement(CatalogService, catalogHandlers(store))]);
  client = serviceClient(CatalogService, local.channel);
});
afterEach(() => local.stop());

test('GetProduct', async () => {
  const { product } = await client.getProduct({ id: 'p-2' }, options);
  expect(product).toMatchObject({
    id: 'p-2',
    name: 'Kettle',
    price: { currencyCode: 'EUR', minorUnits: 3_450n },
    attributes: { room: 'kitchen' },
  });
  expect(product?.updateTime).toBeDefined();
});

test.each([
  ['', status.INVALID_ARGUMENT, 'id: value is required'],
  ['p-0', status.NOT_FOUND, 'id: no product "p-0"'],
  ['__proto__', status.NOT_FOUND, 'id: no product "__proto__"'],
])('GetProduct of %j', async (id, code, message) => {
  await expect(client.getProduct({ id }, options)).rejects.toMatchObject({ code, message });
});

test('ListProducts pages through all of them once, in order', async () => {
  const ids: string[] = [];
  const sizes: number[] = [];
  let pageToken = '';
  do {
    const page = await client.listProducts({ pageSize: 3, pageToken }, options);
    ids.push(...page.products.map((product) => product.id));
    sizes.push(page.products.length);
    pageToken = page.nextPageToken;
  } while (pageToken !== '');
  expect(ids).toEqual(sampleProducts.map((product) => product.id).sort());
  expect(sizes).toEqual([3, 3, 2]);
});

test('ListProducts: a page that ends with the last product has no next', async () => {
  const page = await client.listProducts({ pageSize: sampleProducts.length }, options);
  expect([page.products.length, page.nextPageToken]).toEqual([sampleProducts.length, '']);
});

test('ListProducts refuses a token of another making', async () => {
  await expect(client.listProducts({ pageToken: '?' }, options)).rejects.toMatchObject({
    code: status.INVALID_ARGUMENT,
  });
});

test('ListProducts refuses a negative size', async () => {
  await expect(client.listProducts({ pageSize: -1 }, options)).rejects.toMatchObject({
    code: status.INVALID_ARGUMENT,
    message: 'page_size: must be greater than or equal to 0',
  });
});

test('WatchPrices: the prices now, then every change of those watched', async () => {
  const watch = streams(local.channel, CatalogService.method.watchPrices);
  const call = watch.serverStream({ productIds: ['p-1', 'p-3'] });
  const next = async () => ((await once(call, 'data')) as [WatchPricesResponse])[0];
  const seen = [await next(), await next()];
  expect(seen.map(({ productId, price }) => [productId, price?.minorUnits])).toEqual([
    ['p-1', 4_900n],
    ['p-3', 8_900n],
  ]);
  const later = next();
  store.setPrice('p-2', 1n);
  store.setPrice('p-3', 2n);
  expect(await later).toMatchObject({ productId: 'p-3', price: { minorUnits: 2n } });
  const ended = once(call, 'error');
  call.cancel();
  await ended;
});

test('WatchPrices of an unknown product', async () => {
  const call = streams(local.channel, CatalogService.method.watchPrices).serverStream({
    productIds: ['p-0'],
  });
  expect((await once(call.resume(), 'error'))[0]).toMatchObject({
    code: status.NOT_FOUND,
    details: 'product_ids: no product "p-0"',
  });
});

test("the sample's prices move, up and back", async () => {
  const stop = movePrices(store, 1);
  const abort = new AbortController();
  const prices: bigint[] = [];
  for await (const { price } of store.watch(new Set(['p-1']), abort.signal)) {
    prices.push(price.minorUnits);
    if (prices.length === 3) break;
  }
  stop();
  expect(prices).toEqual([4_900n, 5_390n, 4_900n]);
});
