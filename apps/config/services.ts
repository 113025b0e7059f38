import { createRegistry } from '@bufbuild/protobuf';
import type { DescService, Registry } from '@bufbuild/protobuf';
import { CatalogService } from '../../gen/shop/catalog/v1/catalog_pb.js';
import { InventoryService } from '../../gen/shop/inventory/v1/inventory_pb.js';
import { OrdersService } from '../../gen/shop/orders/v1/orders_pb.js';

/**
 * Every proto service the project declares, by its fully qualified name. A new service gets a line here;
 * a test compares the list with the code generated from proto/.
 */
export const services: ReadonlyMap<string, DescService> = new Map(
  [CatalogService, InventoryService, OrdersService].map((service) => [service.typeName, service]),
);

/** The types of {@link services}, for protobuf's JSON form of `google.protobuf.Any`. */
export const registry: Registry = createRegistry(...[...services.values()].map((service) => service.file));
