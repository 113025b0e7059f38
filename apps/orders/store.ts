import type { Timestamp } from '@bufbuild/protobuf/wkt';

export interface StoredOrder {
  readonly id: string;
  readonly productId: string;
  readonly quantity: number;
  readonly total: { readonly currencyCode: string; readonly minorUnits: bigint };
  readonly reservationId: string;
  readonly createTime: Timestamp;
}

/** A query for orders, newest first. */
export interface OrderQuery {
  /** Only orders older than the one with this id. */
  readonly after: string | undefined;
  /** Only orders of this product; empty means all. */
  readonly productId: string;
  /** Maximum number of orders. */
  readonly limit: number;
}

/** What orders needs from its storage. A real database would implement this interface, with a unique index on reservationId. */
export interface OrderStore {
  /** @returns the order, or the existing one for its reservation, so that a reservation is never used twice */
  add(order: StoredOrder): Promise<StoredOrder>;
  get(id: string): Promise<StoredOrder | undefined>;
  /** Undefined when the order `after` does not exist. */
  list(query: OrderQuery): Promise<readonly StoredOrder[] | undefined>;
}

/** Keeps orders in memory, for as long as the process lives. */
export function memoryOrders(): OrderStore {
  const orders: StoredOrder[] = [];
  const positions = new Map<string, number>();
  const byReservation = new Map<string, StoredOrder>();
  return {
    add: (order) => {
      const first = byReservation.get(order.reservationId);
      if (first !== undefined) return Promise.resolve(first);
      positions.set(order.id, orders.length);
      byReservation.set(order.reservationId, order);
      orders.push(order);
      return Promise.resolve(order);
    },
    get: (id) => Promise.resolve(orders[positions.get(id) ?? -1]),
    list: ({ after, productId, limit }) => {
      const end = after === undefined ? orders.length : positions.get(after);
      if (end === undefined) return Promise.resolve(undefined);
      const found: StoredOrder[] = [];
      for (let at = end - 1; at >= 0 && found.length < limit; at--) {
        const order = orders[at];
        if (order !== undefined && (productId === '' || order.productId === productId)) found.push(order);
      }
      return Promise.resolve(found);
    },
  };
}
