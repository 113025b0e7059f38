import { expect, test } from '@jest/globals';
import type { DescMessage, DescService } from '@bufbuild/protobuf';
import * as shopCatalog from '../../gen/shop/catalog/v1/catalog_pb.js';
import * as shopInventory from '../../gen/shop/inventory/v1/inventory_pb.js';
import * as shopOrders from '../../gen/shop/orders/v1/orders_pb.js';
import { CatalogService } from '../../gen/test/catalog/v1/catalog_pb.js';
import { InventoryService } from '../../gen/test/inventory/v1/inventory_pb.js';
import { OrdersService } from '../../gen/test/orders/v1/orders_pb.js';

const fieldsOf = ({ fields }: DescMessage) =>
  fields.map(({ name, number, fieldKind }) => `${number} ${name} ${fieldKind}`);

const methodsOf = ({ methods }: DescService) =>
  methods.map(({ name, methodKind, input, output }) => ({
    name,
    methodKind,
    input: fieldsOf(input),
    output: fieldsOf(output),
  }));

// The suites give the sample's services the types of the tests' (test/e2e/checkout/sample.ts).
test.each<[string, DescService, DescService]>([
  ['CatalogService', shopCatalog.CatalogService, CatalogService],
  ['InventoryService', shopInventory.InventoryService, InventoryService],
  ['OrdersService', shopOrders.OrdersService, OrdersService],
])('%s of the sample has the methods and fields that the suites call it by', (_, sample, ofTests) => {
  const there = new Map(methodsOf(sample).map((method) => [method.name, method]));
  for (const { name, methodKind, input, output } of methodsOf(ofTests)) {
    const found = there.get(name);
    expect([name, found?.methodKind]).toEqual([name, methodKind]);
    expect(found?.input).toEqual(expect.arrayContaining(input));
    expect(found?.output).toEqual(expect.arrayContaining(output));
  }
});
