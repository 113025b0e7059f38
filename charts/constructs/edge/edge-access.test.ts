import { expect, test } from '@jest/globals';
import { CatalogService } from '../../../gen/shop/catalog/v1/catalog_pb.js';
import type { Method } from '../method.ts';
import { overlapProblems } from './edge-access.ts';

const { getProduct, listProducts } = CatalogService.method;
const exposed = (descriptor: Method['descriptor']) => ({ descriptor }) as Method;

test('methods of one path may not ask for different things', () => {
  // The same method of two services is the plainest case of one path.
  const methods = [exposed(listProducts), exposed(getProduct), exposed(getProduct)];
  const asks = (method: Method) => String(methods.indexOf(method));
  expect(overlapProblems('demo/shop/edge', methods, asks)).toEqual([
    {
      where: 'demo/shop/edge',
      what:
        'the gateways cannot tell shop.catalog.v1.CatalogService/GetProduct (GET /v1/products/{id}) ' +
        'from shop.catalog.v1.CatalogService/GetProduct (GET /v1/products/{id}) by path, ' +
        'yet their tokens or limits differ',
      fix: 'let the same hold for both, change the path of one, or expose it at an edge of its own',
    },
  ]);
  expect(overlapProblems('demo/shop/edge', methods, () => 'the same')).toEqual([]);
});
