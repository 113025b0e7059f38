import { status } from '@grpc/grpc-js';
import { ErrorInfoSchema } from '../../gen/google/rpc/error_details_pb.js';
import type { InventoryService } from '../../gen/shop/inventory/v1/inventory_pb.js';
import type { Handlers } from '../runtime/handlers.ts';
import { detail, statusError } from '../runtime/status.ts';
import { maxUnits } from './store.ts';
import type { InventoryStore } from './store.ts';

/** Maximum number of products in one import: it is kept in memory until its end. */
const maxProducts = 10_000;

/** InventoryService over a store. */
export function inventoryHandlers(store: InventoryStore): Handlers<typeof InventoryService> {
  return {
    getStock: async ({ productId }) => {
      const stock = await store.get(productId);
      if (stock === undefined) throw noStock(productId);
      return { stock };
    },

    reserve: async ({ reservationId, productId, quantity }) => {
      const reserved = await store.reserve({ reservationId, productId, quantity });
      switch (reserved.result) {
        case 'reserved':
          return { reservationId, stock: reserved.stock };
        case 'id in use':
          throw statusError(
            status.ALREADY_EXISTS,
            `reservation_id: ${JSON.stringify(reservationId)} was used for another product or quantity; use a new one`,
            [detail(ErrorInfoSchema, { reason: 'RESERVATION_ID_REUSED', domain: 'inventory.shop.example' })],
          );
        case 'unknown product':
          throw noStock(productId);
        case 'short':
          throw statusError(
            status.FAILED_PRECONDITION,
            `quantity: requested ${quantity} of product ${JSON.stringify(productId)}; available ${reserved.available}`,
          );
      }
    },

    // All or nothing: a wrong entry, or a caller that disconnects, leaves the stock unchanged.
    importStock: async (requests) => {
      const units = new Map<string, number>();
      let imported = 0;
      for await (const { productId, quantity } of requests) {
        imported += 1;
        const sum = (units.get(productId) ?? 0) + quantity;
        if (sum > maxUnits) throw tooMany(productId);
        units.set(productId, sum);
        if (units.size > maxProducts) {
          throw statusError(
            status.RESOURCE_EXHAUSTED,
            `more than ${maxProducts} products in one import; split it into several`,
          );
        }
      }
      const added = await store.add(units);
      if (added.tooMany !== undefined) throw tooMany(added.tooMany);
      return { imported };
    },

    syncStock: async function* (requests, { signal }) {
      const changes = store.watch(signal);
      const reading = (async () => {
        try {
          for await (const { productId, available } of requests) await store.set(productId, available);
        } finally {
          changes.end(); // the caller has sent everything: changes up to now are still delivered
        }
      })();
      reading.catch(() => undefined); // awaited below
      for await (const stock of changes) yield { stock };
      signal.throwIfAborted(); // do not wait for more requests of a caller that is gone
      await reading;
    },
  };
}

function noStock(productId: string) {
  return statusError(status.NOT_FOUND, `product_id: product ${JSON.stringify(productId)} was never stocked`);
}

function tooMany(productId: string) {
  return statusError(
    status.OUT_OF_RANGE,
    `quantity: product ${JSON.stringify(productId)} would have more than ${maxUnits} units`,
  );
}
