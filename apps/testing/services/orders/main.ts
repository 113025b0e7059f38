import { Readable } from 'node:stream';
import { CatalogService } from '../../../../gen/test/catalog/v1/catalog_pb.js';
import { InventoryService } from '../../../../gen/test/inventory/v1/inventory_pb.js';
import { OrdersService } from '../../../../gen/test/orders/v1/orders_pb.js';
import { openChannel, serviceClient } from '../../../runtime/client.ts';
import { address } from '../../../runtime/env.ts';
import { implement } from '../../../runtime/handlers.ts';
import { runService } from '../../../runtime/run.ts';

const timeoutMs = 20_000;

/** OrdersService of the tests: an order is a call to the catalog and then one to the inventory, and nothing is kept. */
await runService('orders', { CATALOG_ADDRESS: address(), INVENTORY_ADDRESS: address() }, (env) => {
  const channelTo = (to: string) => openChannel(to, env.ANSWER_LIMIT_BYTES);
  const catalog = serviceClient(CatalogService, channelTo(env.CATALOG_ADDRESS));
  const inventory = serviceClient(InventoryService, channelTo(env.INVENTORY_ADDRESS));
  return [
    implement(OrdersService, {
      createOrder: async ({ productId, quantity }, parent) => {
        await catalog.getProduct({ id: productId }, { parent, timeoutMs });
        await inventory.reserve({ reservationId: 'r-1', productId, quantity }, { parent, timeoutMs });
        return { order: { productId, quantity } };
      },
      getOrder: () => ({}),
      listOrders: () => ({}),
      watchQuote: () => Readable.from([]),
    }),
  ];
});
