/** Calls to the sample shop through an HTTP edge, by the workload that answers them. */
export const shopReads = {
  catalog: { method: 'GET', path: '/v1/products/p-1' },
  inventory: { method: 'GET', path: '/v1/stock/p-1' },
  orders: { method: 'GET', path: '/v1/orders' },
} as const;

/** Orders prices by the catalog and reserves in the inventory: three services in one call. */
export const placeOrder = {
  method: 'POST',
  path: '/v1/orders',
  body: { productId: 'p-1', quantity: 1 },
} as const;

export type ShopWorkload = keyof typeof shopReads;
