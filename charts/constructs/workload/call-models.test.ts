import { expect, test } from '@jest/globals';
import { withShop } from '../../testing/edge.ts';
import { TrafficPolicy } from '../traffic/traffic-policy.ts';
import { isFaulty } from './workload.ts';
import { callModels } from './call-models.ts';

const catalogService = '/test.catalog.v1.CatalogService';
const toCatalog = { workload: 'catalog', namespace: 'shop', port: 50051 };

test('a call to try is of a unary method without side effects', () => {
  withShop(({ catalog, inventory }) => {
    const { watchPrices, getProduct } = catalog.method;
    expect(callModels([watchPrices, getProduct, inventory.method.getStock], isFaulty)).toEqual([
      { ...toCatalog, path: `${catalogService}/GetProduct`, answeredBy: 'service' },
      {
        workload: 'inventory',
        namespace: 'shop',
        port: 50051,
        path: '/test.inventory.v1.InventoryService/GetStock',
        answeredBy: 'service',
      },
    ]);
  });
});

test('a stream, which may stay quiet, is not tried', () => {
  withShop(({ catalog }) => {
    expect(callModels([catalog.method.watchPrices], isFaulty)).toEqual([
      { ...toCatalog, path: `${catalogService}/MeshwrightProbe`, answeredBy: 'proxy' },
    ]);
  });
});

test('where every method that may be called has side effects, it is of one that nobody serves', () => {
  withShop(({ inventory }) => {
    expect(callModels([inventory.method.reserve], isFaulty)).toMatchObject([
      { path: '/test.inventory.v1.InventoryService/MeshwrightProbe', answeredBy: 'proxy' },
    ]);
  });
});

test('a method whose calls are ended or delayed on purpose is not tried', () => {
  withShop(({ catalog }) => {
    const { getProduct, listProducts } = catalog.method;
    const fault = { delayMs: 10_000, percent: 100 };
    new TrafficPolicy(catalog, 'faults', {
      rules: [
        { method: getProduct, fault },
        { method: listProducts, metadata: { 'x-test': { exact: 'yes' } }, fault },
      ],
    });
    expect(callModels([getProduct], isFaulty)).toMatchObject([{ answeredBy: 'proxy' }]);
    // Calls without that metadata are left alone.
    expect(callModels([getProduct, listProducts], isFaulty)).toMatchObject([
      { path: `${catalogService}/ListProducts`, answeredBy: 'service' },
    ]);
  });
});
