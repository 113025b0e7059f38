import type { Timestamp } from '@bufbuild/protobuf/wkt';
import { timestampNow } from '@bufbuild/protobuf/wkt';
import { Changes } from '../runtime/server/changes.ts';
import type { Subscription } from '../runtime/server/changes.ts';

export interface StoredStock {
  readonly productId: string;
  readonly available: number;
  readonly reserved: number;
  readonly updateTime: Timestamp;
}

export interface Reservation {
  readonly reservationId: string;
  readonly productId: string;
  readonly quantity: number;
}

/** The result of a reservation. */
export type Reserved =
  | { readonly result: 'reserved'; readonly stock: StoredStock }
  | { readonly result: 'id in use' }
  | { readonly result: 'unknown product' }
  | { readonly result: 'short'; readonly available: number };

/** What the inventory needs from its storage. A real database would implement this interface, with one transaction per method. */
export interface InventoryStore {
  get(productId: string): Promise<StoredStock | undefined>;
  /** A repeated reservation returns the result of the first if that was reserved; a different one with the same id is refused. */
  reserve(reservation: Reservation): Promise<Reserved>;
  /** Adds units to all products, or to none when one would exceed {@link maxUnits}. */
  add(units: ReadonlyMap<string, number>): Promise<{ readonly tooMany: string | undefined }>;
  /** Sets the available units of a product. */
  set(productId: string, available: number): Promise<void>;
  /** Every change from now on, until the signal aborts. */
  watch(signal: AbortSignal): Subscription<string, StoredStock>;
}

/** Stock is counted in int32. */
export const maxUnits = 2 ** 31 - 1;

/** Keeps stock in memory. Watchers slower than the changes get each product's newest stock. */
export function memoryInventory(units: Readonly<Record<string, number>>): InventoryStore {
  const stocks = new Map<string, StoredStock>();
  const reservations = new Map<string, Reservation & { readonly left: StoredStock }>();
  const changes = new Changes<string, StoredStock>();

  const put = (productId: string, available: number, reserved: number): StoredStock => {
    const stock = { productId, available, reserved, updateTime: timestampNow() };
    stocks.set(productId, stock);
    changes.publish(productId, stock);
    return stock;
  };
  for (const [productId, available] of Object.entries(units)) put(productId, available, 0);

  const reserve = ({ reservationId, productId, quantity }: Reservation): Reserved => {
    const first = reservations.get(reservationId);
    if (first !== undefined) {
      if (first.productId !== productId || first.quantity !== quantity) return { result: 'id in use' };
      return { result: 'reserved', stock: first.left };
    }
    const stock = stocks.get(productId);
    if (stock === undefined) return { result: 'unknown product' };
    if (stock.available < quantity || stock.reserved > maxUnits - quantity) {
      return { result: 'short', available: stock.available };
    }
    const left = put(productId, stock.available - quantity, stock.reserved + quantity);
    reservations.set(reservationId, { reservationId, productId, quantity, left });
    return { result: 'reserved', stock: left };
  };

  const add = (more: ReadonlyMap<string, number>): string | undefined => {
    const sums = [...more].map(([id, count]) => ({ id, sum: (stocks.get(id)?.available ?? 0) + count }));
    const tooMany = sums.find(({ sum }) => sum > maxUnits);
    if (tooMany === undefined) for (const { id, sum } of sums) put(id, sum, stocks.get(id)?.reserved ?? 0);
    return tooMany?.id;
  };

  return {
    get: (productId) => Promise.resolve(stocks.get(productId)),
    reserve: (reservation) => Promise.resolve(reserve(reservation)),
    add: (more) => Promise.resolve({ tooMany: add(more) }),
    set: (productId, available) => {
      put(productId, available, stocks.get(productId)?.reserved ?? 0);
      return Promise.resolve();
    },
    watch: (signal) => changes.subscribe(signal),
  };
}
