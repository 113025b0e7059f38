import { randomUUID } from 'node:crypto';
import { status } from '@grpc/grpc-js';
import { timestampNow } from '@bufbuild/protobuf/wkt';
import type { CatalogService } from '../../gen/shop/catalog/v1/catalog_pb.js';
import type { InventoryService } from '../../gen/shop/inventory/v1/inventory_pb.js';
import { ListOrdersRequestSchema } from '../../gen/shop/orders/v1/orders_pb.js';
import type { OrdersService } from '../../gen/shop/orders/v1/orders_pb.js';
import type { ServiceClient } from '../runtime/client.ts';
import type { CallContext, Handlers } from '../runtime/handlers.ts';
import { readPage } from '../runtime/paging.ts';
import { StatusError, statusError } from '../runtime/status.ts';
import { keyOf, once, requestIdReused } from './once.ts';
import type { RequestLog } from './request-log.ts';
import type { OrderStore, StoredOrder } from './store.ts';

export interface OrdersDependencies {
  readonly store: OrderStore;
  readonly requests: RequestLog<StoredOrder>;
  readonly catalog: Pick<ServiceClient<typeof CatalogService>, 'getProduct' | 'watchPrices'>;
  readonly inventory: Pick<ServiceClient<typeof InventoryService>, 'reserve'>;
}

/** Time limit for one call to another service, long enough for the other cluster; the caller's own deadline may be shorter. */
const timeoutMs = 2_000;

/** Status codes of other services that are passed on to the caller; any other code is a failure of this service. */
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
  requests,
  catalog,
  inventory,
}: OrdersDependencies): Handlers<typeof OrdersService> {
  const price = async (productId: string, context: CallContext) => {
    const { product } = await catalog
      .getProduct({ id: productId }, { parent: context, timeoutMs })
      .catch(failed('catalog'));
    return priceOf(product?.price);
  };

  const reserve = async (reservation: Reservation, context: CallContext) => {
    const servedBy = (metadata: StatusError['metadata']) => {
      for (const value of metadata.get('x-served-by')) context.header.set('x-inventory-served-by', value);
    };
    await inventory
      .reserve(reservation, { parent: context, timeoutMs, onHeader: servedBy })
      .catch((error: unknown) => {
        if (error instanceof StatusError) {
          servedBy(error.metadata);
          if (error.code === status.ALREADY_EXISTS) throw requestIdReused();
        }
        return failed('inventory')(error);
      });
  };

  /** Safe to repeat with the same key: the inventory reserves once for it, and the store keeps one order. */
  const place = async (key: string, { productId, quantity }: Wanted, context: CallContext) => {
    const unit = await price(productId, context);
    const reservationId = `order-${key}`;
    await reserve({ reservationId, productId, quantity }, context);
    const total = totalOf(unit, quantity);
    const createTime = timestampNow();
    return store.add({ id: randomUUID(), productId, quantity, total, reservationId, createTime });
  };

  return {
    createOrder: async (request, context) => {
      if (request.requestId === '') return { order: await place(randomUUID(), request, context) };
      const order = await once(requests, request, context.signal, () =>
        place(keyOf(request), request, context),
      );
      return { order };
    },

    getOrder: async ({ id }) => {
      const order = await store.get(id);
      if (order === undefined) throw statusError(status.NOT_FOUND, `id: no order ${JSON.stringify(id)}`);
      return { order };
    },

    listOrders: async (request) => {
      const { size, after, tokenAfter } = readPage(ListOrdersRequestSchema, request);
      const found = await store.list({ after, productId: request.productId, limit: size + 1 });
      if (found === undefined)
        throw statusError(status.INVALID_ARGUMENT, 'page_token: the order it refers to does not exist');
      const orders = found.slice(0, size);
      const last = found.length > size ? orders.at(-1) : undefined;
      return { orders, nextPageToken: last === undefined ? '' : tokenAfter(last.id) };
    },

    // The next price is requested when the caller has received the previous quote: a slow caller skips to the newest.
    watchQuote: async function* ({ productId, quantity }, context) {
      const prices = catalog.watchPrices({ productIds: [productId] }, { parent: context });
      for await (const { price: unit, changeTime } of naming('catalog', prices)) {
        yield {
          total: totalOf(priceOf(unit), quantity),
          ...(changeTime === undefined ? {} : { changeTime }),
        };
      }
    },
  };
}

interface Wanted {
  readonly productId: string;
  readonly quantity: number;
}

interface Reservation extends Wanted {
  readonly reservationId: string;
}

type Price = StoredOrder['total'];

function priceOf(price: Price | undefined): Price {
  if (price === undefined) throw statusError(status.FAILED_PRECONDITION, 'catalog: no price');
  return price;
}

function totalOf({ currencyCode, minorUnits }: Price, quantity: number): Price {
  return { currencyCode, minorUnits: minorUnits * BigInt(quantity) };
}

/** Names the service that failed. An error that does not concern our caller (such as PERMISSION_DENIED) becomes INTERNAL. */
function failed(service: string): (error: unknown) => never {
  return (error) => {
    if (!(error instanceof StatusError)) throw error;
    if (passedOn.has(error.code)) throw statusError(error.code, `${service}: ${error.message}`);
    throw statusError(status.INTERNAL, `${service}: ${status[error.code]}`);
  };
}

/** The same for the failure of a stream. */
async function* naming<T>(service: string, answers: AsyncIterable<T>): AsyncGenerator<T, void> {
  try {
    yield* answers;
  } catch (error) {
    failed(service)(error);
  }
}
