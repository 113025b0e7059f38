// A service on apps/runtime as all of ours are, with all that runService gives one.
import { implement } from '../../../apps/runtime/handlers.ts';
import { runService } from '../../../apps/runtime/run.ts';
import { CatalogService } from '../../../gen/shop/catalog/v1/catalog_pb.js';
import { product } from '../product.ts';

await runService('bench', {}, () => [
  implement(CatalogService, {
    getProduct: ({ id }) => product(id),
    listProducts: () => ({}),
    watchPrices: async function* () {
      await Promise.resolve();
    },
  }),
]);
