/** Units in stock of each product in the sample catalog; p-8 is sold out. */
export const sampleStock: Readonly<Record<string, number>> = {
  'p-1': 1_000_000,
  'p-2': 1_000_000,
  'p-3': 1_000_000,
  'p-4': 1_000_000,
  'p-5': 1_000_000,
  'p-6': 1_000_000,
  'p-7': 3,
  'p-8': 0,
};
