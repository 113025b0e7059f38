import type { MemoryCatalog, StoredProduct } from './store.ts';

const product = (id: string, name: string, description: string, minorUnits: bigint, room: string) => ({
  id,
  name,
  description,
  price: { currencyCode: 'EUR', minorUnits },
  attributes: { room },
});

/** The products of the sample shop; inventory stocks the same ids. */
export const sampleProducts: readonly Omit<StoredProduct, 'updateTime'>[] = [
  product('p-1', 'Desk lamp', 'Adjustable lamp with a warm light', 4_900n, 'study'),
  product('p-2', 'Kettle', 'Boils a litre in three minutes', 3_450n, 'kitchen'),
  product('p-3', 'Wool blanket', 'Woven, 140 by 200 cm', 8_900n, 'bedroom'),
  product('p-4', 'Bookshelf', 'Oak, five boards', 24_900n, 'study'),
  product('p-5', 'Chef knife', 'Blade of 20 cm', 6_250n, 'kitchen'),
  product('p-6', 'Garden chair', 'Folds flat', 5_990n, 'garden'),
  product('p-7', 'Wall clock', 'Silent movement', 2_995n, 'hall'),
  product('p-8', 'Rain barrel', 'Holds 200 litres', 7_500n, 'garden'),
];

/**
 * Changes one price after another, in turn up by a tenth and back to its first value, so that there is something to watch.
 * @param intervalMs - time between two changes, in milliseconds
 * @returns a function that stops the changes
 */
export function movePrices(catalog: MemoryCatalog, intervalMs: number): () => void {
  let step = 0;
  const timer = setInterval(() => {
    const moved = sampleProducts[step % sampleProducts.length];
    const round = Math.floor(step / sampleProducts.length);
    step += 1;
    if (moved === undefined) return;
    const first = moved.price.minorUnits;
    catalog.setPrice(moved.id, round % 2 === 0 ? first + first / 10n : first);
  }, intervalMs);
  timer.unref();
  return () => {
    clearInterval(timer);
  };
}
