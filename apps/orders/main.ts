import { CatalogService } from '../../gen/shop/catalog/v1/catalog_pb.js';
import { InventoryService } from '../../gen/shop/inventory/v1/inventory_pb.js';
import { OrdersService } from '../../gen/shop/orders/v1/orders_pb.js';
import { openChannel, serviceClient } from '../runtime/client.ts';
import { address } from '../runtime/env.ts';
import { implement } from '../runtime/handlers.ts';
import { runService } from '../runtime/run.ts';
import { ordersHandlers } from './handlers.ts';
import { memoryRequestLog } from './request-log.ts';
import { memoryOrders } from './store.ts';

await runService('orders', { CATALOG_ADDRESS: address(), INVENTORY_ADDRESS: address() }, (env) => [
  implement(
    OrdersService,
    ordersHandlers({
      store: memoryOrders(),
      requests: memoryRequestLog(),
      catalog: serviceClient(CatalogService, openChannel(env.CATALOG_ADDRESS, env.ANSWER_LIMIT_BYTES)),
      inventory: serviceClient(InventoryService, openChannel(env.INVENTORY_ADDRESS, env.ANSWER_LIMIT_BYTES)),
    }),
  ),
]);
