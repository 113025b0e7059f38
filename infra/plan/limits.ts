/** How long `up` waits until the clusters reach each other, in milliseconds. */
export interface Limits {
  /** Until a control plane has read another cluster. */
  readonly remoteCluster: number;
  /**
   * A synced istiod also reports `synced` just before it reads a new remote secret. A watch delivers the secret within
   * milliseconds; reports within this time after the secret was written are not trusted.
   */
  readonly remoteSecretTaken: number;
  /** Until a gateway is reached at a declared address. */
  readonly declaredGateway: number;
  /** Until a gateway is reached through its load balancer. */
  readonly loadBalancer: number;
}

export const defaultLimits: Limits = {
  // Twice as long as istiod itself waits for a cluster (PILOT_REMOTE_CLUSTER_TIMEOUT) before it goes on without it.
  remoteCluster: 60_000,
  remoteSecretTaken: 2_000,
  // The nodes exist already, and kube-proxy opens their ports within seconds.
  declaredGateway: 30_000,
  // Clouds report the address of a load balancer minutes before it works, or before its name resolves everywhere.
  loadBalancer: 180_000,
};
