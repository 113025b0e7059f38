import type { Timestamp } from '@bufbuild/protobuf/wkt';

export interface StoredOrder {
  readonly id: string;
  readonly productId: string;
  readonly quantity: number;
  readonly total: { readonly currencyCode: string; readonly minorUnits: bigint };
  readonly reservationId: string;
  readonly createTime: Timestamp;
}

/** What orders needs of its storage. A real database would go behind this. */
export interface OrderStore {
  add(order: StoredOrder): Promise<void>;
  get(id: string): Promise<StoredOrder | undefined>;
  /** At most `limit` orders older than the given one, newest first; undefined when that one does not exist. */
  list(after: string | undefined, limit: number): Promise<readonly StoredOrder[] | undefined>;
}

/** Keeps orders in memory, for as long as the process lives. */
export function memoryOrders(): OrderStore {
  const orders: StoredOrder[] = [];
  const positions = new Map<string, number>();
  return {
    add: (order) => {
      positions.set(order.id, orders.length);
      orders.push(order);
      return Promise.resolve();
    },
    get: (id) => Promise.resolve(orders[positions.get(id) ?? -1]),
    list: (after, limit) => {
      const end = after === undefined ? orders.length : positions.get(after);
      if (end === undefined) return Promise.resolve(undefined);
      return Promise.resolve(orders.slice(Math.max(0, end - limit), end).reverse());
    },
  };
}
