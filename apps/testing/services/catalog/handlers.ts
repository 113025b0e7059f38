import { once } from 'node:events';
import { status } from '@grpc/grpc-js';
import { timestampNow } from '@bufbuild/protobuf/wkt';
import { ListProductsRequestSchema } from '../../../../gen/test/catalog/v1/catalog_pb.js';
import type { CatalogService } from '../../../../gen/test/catalog/v1/catalog_pb.js';
import type { Handlers } from '../../../runtime/handlers.ts';
import { readPage } from '../../../runtime/paging.ts';
import { statusError } from '../../../runtime/status.ts';

const product = (id: string, name: string, minorUnits: bigint, room: string) => ({
  id,
  name,
  price: { currencyCode: 'EUR', minorUnits },
  attributes: { room },
  updateTime: timestampNow(),
});

/** By their ids, in order. */
const products = [
  product('p-1', 'Desk lamp', 4_900n, 'study'),
  product('p-2', 'Kettle', 3_450n, 'kitchen'),
  product('p-3', 'Wool blanket', 8_900n, 'bedroom'),
];

/** CatalogService of the tests, over three products whose prices stay. */
export const catalogHandlers: Handlers<typeof CatalogService> = {
  getProduct: ({ id }) => {
    const found = products.find((each) => each.id === id);
    if (found === undefined) throw statusError(status.NOT_FOUND, `id: no product ${JSON.stringify(id)}`);
    return { product: found };
  },

  listProducts: (request) => {
    const { size, after = '', tokenAfter } = readPage(ListProductsRequestSchema, request);
    const rest = products.filter(({ id }) => id > after);
    const page = rest.slice(0, size);
    const last = rest.length > size ? page.at(-1) : undefined;
    return { products: page, nextPageToken: last === undefined ? '' : tokenAfter(last.id) };
  },

  watchPrices: async function* (_, { signal }) {
    for (const { id, price, updateTime } of products) yield { productId: id, price, changeTime: updateTime };
    if (!signal.aborted) await once(signal, 'abort');
  },
};
