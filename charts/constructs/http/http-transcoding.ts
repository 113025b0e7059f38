export { gatewayApp as httpGatewayApp } from '../../../apps/config/folders.ts';

/**
 * The gateway app's variables about claims: those that its ingress gateway writes into headers, and those of other edges,
 * which its own clients could make up. Whoever calls a service by one edge must not be believed what another one vouches for.
 * @param own - metadata that claims go on as here
 * @param all - the same of every edge of the mesh
 */
export function claimVariables(
  own: readonly string[],
  all: ReadonlySet<string>,
): Readonly<Record<string, string>> {
  const others = [...all].filter((name) => !own.includes(name)).sort();
  return {
    ...(own.length === 0 ? {} : { CLAIM_HEADERS: own.join(',') }),
    ...(others.length === 0 ? {} : { REFUSED_METADATA: others.join(',') }),
  };
}

/** The gateway app's UPSTREAMS: where each proto service is, `shop.catalog.v1.CatalogService=host:port`. */
export function upstreams(
  entries: readonly { readonly services: readonly string[]; readonly address: string }[],
): string {
  return entries
    .flatMap(({ services: names, address }) => names.map((name) => `${name}=${address}`))
    .join(',');
}
