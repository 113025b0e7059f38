import type { Timestamp } from '@bufbuild/protobuf/wkt';
import { timestampNow } from '@bufbuild/protobuf/wkt';
import { Changes } from '../runtime/server/changes.ts';

/** An amount in the currency's smallest unit. */
export interface Price {
  readonly currencyCode: string;
  readonly minorUnits: bigint;
}

export interface StoredProduct {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly price: Price;
  readonly attributes: Readonly<Record<string, string>>;
  readonly updateTime: Timestamp;
}

/** What the catalog needs from its storage. A real database would implement this interface. */
export interface CatalogStore {
  get(id: string): Promise<StoredProduct | undefined>;
  /** At most `limit` products with ids after the given one, ordered by id. */
  list(after: string | undefined, limit: number): Promise<readonly StoredProduct[]>;
  /** The current products and, from then on, each product after a change of its price, until the signal aborts. */
  watch(ids: ReadonlySet<string>, signal: AbortSignal): AsyncIterable<StoredProduct>;
}

/** A sample catalog in memory whose prices can be changed. */
export interface MemoryCatalog extends CatalogStore {
  setPrice(id: string, minorUnits: bigint): void;
}

/** Keeps products in memory. Watchers slower than the changes get each product's newest price. */
export function memoryCatalog(products: readonly Omit<StoredProduct, 'updateTime'>[]): MemoryCatalog {
  const byId = new Map(
    products
      .toSorted((a, b) => (a.id < b.id ? -1 : 1))
      .map((product): [string, StoredProduct] => [product.id, { ...product, updateTime: timestampNow() }]),
  );
  const changes = new Changes<string, StoredProduct>();
  return {
    get: (id) => Promise.resolve(byId.get(id)),
    list: (after, limit) =>
      Promise.resolve(
        [...byId.values()].filter(({ id }) => after === undefined || id > after).slice(0, limit),
      ),
    watch: async function* (ids, signal) {
      const wanted = (id: string) => ids.size === 0 || ids.has(id);
      const later = changes.subscribe(signal, wanted);
      for (const product of [...byId.values()].filter(({ id }) => wanted(id)))
        later.offer(product.id, product);
      yield* later;
    },
    setPrice: (id, minorUnits) => {
      const product = byId.get(id);
      if (product === undefined) throw new Error(`no product ${id}`);
      const changed = { ...product, price: { ...product.price, minorUnits }, updateTime: timestampNow() };
      byId.set(id, changed);
      changes.publish(id, changed);
    },
  };
}
