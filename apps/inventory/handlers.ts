import { status } from '@grpc/grpc-js';
import type { InventoryService } from '../../gen/shop/inventory/v1/inventory_pb.js';
import type { Handlers } from '../runtime/handlers.ts';
import { statusError } from '../runtime/status.ts';
import { mostUnits } from './store.ts';
import type { InventoryStore } from './store.ts';

/** Products one import may name: what it adds is held until its end. */
const mostProducts = 10_000;

/** InventoryService over a store. */
export function inventoryHandlers(store: InventoryStore): Handlers<typeof InventoryService> {
  return {
    getStock: async ({ productId }) => {
      const stock = await store.get(needed('product_id', productId));
      if (stock === undefined) throw noStock(productId);
      return { stock };
    },

    reserve: async ({ reservationId, productId, quantity }) => {
      const reserved = await store.reserve({ reservationId, productId, quantity });
      switch (reserved.result) {
        case 'reserved':
          return { reservationId, stock: reserved.stock };
        case 'unknown product':
          throw noStock(productId);
        case 'short':
          throw statusError(
            status.FAILED_PRECONDITION,
            `quantity: ${quantity} of product ${JSON.stringify(productId)} asked for; available ${reserved.available}`,
          );
      }
    },

    // All or nothing: a wrong entry, or a caller that goes away, leaves the stock as it was.
    importStock: async (requests) => {
      const units = new Map<string, number>();
      let imported = 0;
      for await (const { productId, quantity } of requests) {
        imported += 1;
        const entry = `entry ${imported}: `;
        needed(`${entry}product_id`, productId);
        atLeast(`${entry}quantity`, quantity, 0);
        const sum = (units.get(productId) ?? 0) + quantity;
        if (sum > mostUnits) throw tooMany(productId);
        units.set(productId, sum);
        if (units.size > mostProducts) {
          throw statusError(
            status.RESOURCE_EXHAUSTED,
            `more than ${mostProducts} products; import them in parts`,
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
          for await (const { productId, available } of requests) {
            await store.set(needed('product_id', productId), atLeast('available', available, 0));
          }
        } finally {
          changes.end(); // the caller has said all: what changed until now is still answered
        }
      })();
      reading.catch(() => undefined); // looked at below
      for await (const stock of changes) yield { stock };
      await reading;
    },
  };
}

function needed(field: string, value: string): string {
  if (value === '') throw statusError(status.INVALID_ARGUMENT, `${field}: missing`);
  return value;
}

function atLeast(field: string, value: number, least: number): number {
  if (value >= least) return value;
  throw statusError(status.INVALID_ARGUMENT, `${field}: ${value} received; allowed ${least} or more`);
}

function noStock(productId: string) {
  return statusError(status.NOT_FOUND, `product_id: product ${JSON.stringify(productId)} was never stocked`);
}

function tooMany(productId: string) {
  return statusError(
    status.OUT_OF_RANGE,
    `quantity: product ${JSON.stringify(productId)} would have more than ${mostUnits} units`,
  );
}
