import { status } from '@grpc/grpc-js';
import { ListProductsRequestSchema } from '../../gen/shop/catalog/v1/catalog_pb.js';
import type { CatalogService } from '../../gen/shop/catalog/v1/catalog_pb.js';
import type { Handlers } from '../runtime/handlers.ts';
import { readPage } from '../runtime/paging.ts';
import { statusError } from '../runtime/status.ts';
import type { CatalogStore } from './store.ts';

/** CatalogService over a store. */
export function catalogHandlers(store: CatalogStore): Handlers<typeof CatalogService> {
  return {
    getProduct: async ({ id }) => {
      const product = await store.get(id);
      if (product === undefined) throw statusError(status.NOT_FOUND, `id: no product ${JSON.stringify(id)}`);
      return { product };
    },

    listProducts: async (request) => {
      const { size, after, tokenAfter } = readPage(ListProductsRequestSchema, request);
      // Ask for one more than requested, to know whether there is a next page.
      const found = await store.list(after, size + 1);
      const products = found.slice(0, size);
      const last = found.length > size ? products.at(-1) : undefined;
      return { products: [...products], nextPageToken: last === undefined ? '' : tokenAfter(last.id) };
    },

    watchPrices: async function* ({ productIds }, { signal }) {
      for (const id of productIds) {
        if ((await store.get(id)) === undefined) {
          throw statusError(status.NOT_FOUND, `product_ids: no product ${JSON.stringify(id)}`);
        }
      }
      for await (const { id, price, updateTime } of store.watch(new Set(productIds), signal)) {
        yield { productId: id, price, changeTime: updateTime };
      }
    },
  };
}
