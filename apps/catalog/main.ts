import { CatalogService } from '../../gen/shop/catalog/v1/catalog_pb.js';
import { integer } from '../runtime/env.ts';
import { implement } from '../runtime/handlers.ts';
import { runService } from '../runtime/run.ts';
import { catalogHandlers } from './handlers.ts';
import { movePrices, sampleProducts } from './sample.ts';
import { memoryCatalog } from './store.ts';

await runService('catalog', { PRICE_CHANGE_INTERVAL_MS: integer(10, 86_400_000).default(5_000) }, (env) => {
  const store = memoryCatalog(sampleProducts);
  movePrices(store, env.PRICE_CHANGE_INTERVAL_MS);
  return [implement(CatalogService, catalogHandlers(store))];
});
