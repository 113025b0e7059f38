import type { Timestamp } from '@bufbuild/protobuf/wkt';

export interface StoredOrder {
  readonly id: string;
  readonly productId: string;
  readonly quantity: number;
  readonly total: { readonly currencyCode: string; readonly minorUnits: bigint };
  readonly reservationId: string;
  readonly createTime: Timestamp;
}

/** Which orders are asked for, newest first. */
export interface OrderQuery {
  /** Only older ones than this. */
  readonly after: string | undefined;
  /** Only those of this product; empty means all. */
  readonly productId: string;
  /** At most so many. */
  readonly limit: number;
}

/** What orders needs of its storage. A real database would go behind this, with a unique index on reservationId. */
export interface OrderStore {
  /** @returns the order; or the one there already is for its reservation, which is then not used twice */
  add(order: StoredOrder): Promise<StoredOrder>;
  get(id: string): Promise<StoredOrder | undefined>;
  /** Undefined when there is no order `after`. */
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
