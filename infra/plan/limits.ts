/** How long `up` waits for what the clusters have to have of each other, in milliseconds. */
export interface Limits {
  /** Until a control plane has read another cluster. */
  readonly remoteCluster: number;
  /** Until a gateway is reached at a declared address. */
  readonly declaredGateway: number;
  /** Until a gateway is reached by its load balancer. */
  readonly loadBalancer: number;
}

export const defaultLimits: Limits = {
  // Twice what istiod itself waits for a cluster (PILOT_REMOTE_CLUSTER_TIMEOUT), after which it goes on without.
  remoteCluster: 60_000,
  // The nodes are there already, and kube-proxy opens their ports within seconds.
  declaredGateway: 30_000,
  // Clouds tell the address of a load balancer minutes before it, or its name, is everywhere.
  loadBalancer: 180_000,
};
