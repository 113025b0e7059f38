// A service on apps/runtime like all of ours, with everything that runService adds.
import { implement } from '../../../apps/runtime/handlers.ts';
import { runService } from '../../../apps/runtime/run.ts';
import { CatalogService } from '../../../gen/test/catalog/v1/catalog_pb.js';
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
