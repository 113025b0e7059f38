import { expect, test } from '@jest/globals';
import { CatalogService } from '../../gen/test/catalog/v1/catalog_pb.js';
import { OrdersService } from '../../gen/test/orders/v1/orders_pb.js';
import { readDescribed } from './described.ts';

const served = [CatalogService, OrdersService];

test('reads names of methods, none for all', () => {
  const names = ['test.orders.v1.OrdersService/GetOrder', 'test.catalog.v1.CatalogService/GetProduct'];
  expect(readDescribed(names, served)).toEqual({
    described: new Set([OrdersService.method.getOrder, CatalogService.method.getProduct]),
    problems: [],
  });
  expect(readDescribed([], served)).toEqual({ described: undefined, problems: [] });
});

test('names every one that is not served', () => {
  const names = ['test.catalog.v1.CatalogService/GetProdukt', 'test.inventory.v1.InventoryService/GetStock'];
  const allowed = ['GetProduct', 'ListProducts', 'WatchPrices']
    .map((name) => `test.catalog.v1.CatalogService/${name}`)
    .join(', ');
  expect(readDescribed(names, [CatalogService]).problems).toEqual([
    `OPENAPI_METHODS: "${names[0]}": no such method; allowed ${allowed}`,
    `OPENAPI_METHODS: "${names[1]}": no such method; allowed ${allowed}`,
  ]);
});
