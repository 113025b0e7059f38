/** Folder of the app that translates HTTP with JSON into gRPC, at the edge or beside a service. */
export const httpGatewayApp = 'apps/gateway';

/** The gateway app's UPSTREAMS: where each proto service is, `shop.catalog.v1.CatalogService=host:port`. */
export function upstreams(
  entries: readonly { readonly services: readonly string[]; readonly address: string }[],
): string {
  return entries
    .flatMap(({ services: names, address }) => names.map((name) => `${name}=${address}`))
    .join(',');
}
