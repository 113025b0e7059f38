import { randomUUID } from 'node:crypto';
import { status } from '@grpc/grpc-js';
import { timestampNow } from '@bufbuild/protobuf/wkt';
import type { CatalogService } from '../../gen/shop/catalog/v1/catalog_pb.js';
import type { InventoryService } from '../../gen/shop/inventory/v1/inventory_pb.js';
import type { OrdersService } from '../../gen/shop/orders/v1/orders_pb.js';
import type { ServiceClient } from '../runtime/client.ts';
import type { CallContext, Handlers } from '../runtime/handlers.ts';
import { pageToken, readPage } from '../runtime/paging.ts';
import { StatusError, statusError } from '../runtime/status.ts';
import type { OrderStore } from './store.ts';

export interface OrdersDependencies {
  readonly store: OrderStore;
  readonly catalog: Pick<ServiceClient<typeof CatalogService>, 'getProduct'>;
  readonly inventory: Pick<ServiceClient<typeof InventoryService>, 'reserve'>;
}

/** Longest for one call to another service; the caller's own deadline may be shorter. Room for the other cluster. */
const timeoutMs = 2_000;

/** What an answer of another service may mean to our caller as it is; anything else is our failure. */
const passedOn: ReadonlySet<status> = new Set([
  status.NOT_FOUND,
  status.FAILED_PRECONDITION,
  status.RESOURCE_EXHAUSTED,
  status.UNAVAILABLE,
  status.DEADLINE_EXCEEDED,
  status.CANCELLED,
]);

/** OrdersService over a store, the catalog and the inventory. */
export function ordersHandlers({
  store,
  catalog,
  inventory,
}: OrdersDependencies): Handlers<typeof OrdersService> {
  const price = async (productId: string, context: CallContext) => {
    const { product } = await catalog
      .getProduct({ id: productId }, { parent: context, timeoutMs })
      .catch(failed('catalog'));
    if (product?.price === undefined) throw statusError(status.FAILED_PRECONDITION, 'catalog: no price');
    return product.price;
  };

  const reserve = async (productId: string, quantity: number, context: CallContext) => {
    const servedBy = (metadata: StatusError['metadata']) => {
      for (const value of metadata.get('x-served-by')) context.header.set('x-inventory-served-by', value);
    };
    const reservationId = randomUUID();
    await inventory
      .reserve({ reservationId, productId, quantity }, { parent: context, timeoutMs, onHeader: servedBy })
      .catch((error: unknown) => {
        if (error instanceof StatusError) servedBy(error.metadata);
        return failed('inventory')(error);
      });
    return reservationId;
  };

  return {
    createOrder: async ({ productId, quantity }, context) => {
      if (productId === '') throw statusError(status.INVALID_ARGUMENT, 'product_id: missing');
      if (quantity < 1) {
        throw statusError(status.INVALID_ARGUMENT, `quantity: ${quantity} received; allowed 1 or more`);
      }
      const { currencyCode, minorUnits } = await price(productId, context);
      const reservationId = await reserve(productId, quantity, context);
      const order = {
        id: randomUUID(),
        productId,
        quantity,
        total: { currencyCode, minorUnits: minorUnits * BigInt(quantity) },
        reservationId,
        createTime: timestampNow(),
      };
      await store.add(order);
      return { order };
    },

    getOrder: async ({ id }) => {
      if (id === '') throw statusError(status.INVALID_ARGUMENT, 'id: missing');
      const order = await store.get(id);
      if (order === undefined) throw statusError(status.NOT_FOUND, `id: no order ${JSON.stringify(id)}`);
      return { order };
    },

    listOrders: async (request) => {
      const { size, after } = readPage(request);
      const found = await store.list(after, size + 1);
      if (found === undefined)
        throw statusError(status.INVALID_ARGUMENT, 'page_token: its order does not exist');
      const orders = found.slice(0, size);
      const last = found.length > size ? orders.at(-1) : undefined;
      return { orders, nextPageToken: last === undefined ? '' : pageToken(last.id) };
    },
  };
}

/** Names the service that failed. A refusal that is no matter of our caller's (no permission, say) becomes INTERNAL. */
function failed(service: string): (error: unknown) => never {
  return (error) => {
    if (!(error instanceof StatusError)) throw error;
    if (passedOn.has(error.code)) throw statusError(error.code, `${service}: ${error.message}`);
    throw statusError(status.INTERNAL, `${service}: ${status[error.code]}`);
  };
}
