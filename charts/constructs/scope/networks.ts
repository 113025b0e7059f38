/**
 * Whether calls between clusters pass through gateways: where they are on several networks. Pods of clusters on one network reach
 * each other directly (https://istio.io/latest/docs/ops/deployment/deployment-models/#single-network).
 */
export function crossNetworks(clusters: readonly { readonly network: string }[]): boolean {
  return new Set(clusters.map(({ network }) => network)).size > 1;
}
