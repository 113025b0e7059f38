/** From where a load balancer lets connections in: CIDRs, or from anywhere, and why that is meant. */
export type Sources = readonly string[] | { readonly any: string };

/** A gateway behind a load balancer that the cluster makes; its address is the IP or host name in the Service's status. */
export interface LoadBalancer {
  readonly type: 'LoadBalancer';
  readonly sources: Sources;
  /** What the cluster's load balancer controller asks for, to keep it internal for example. @default - none */
  readonly annotations?: Readonly<Record<string, string>>;
  /** Which of several controllers makes it (`loadBalancerClass`). It cannot be changed later. @default - the cluster's default */
  readonly class?: string;
}

/** A gateway on the same port of every node of its cluster; opens no other port. `P` is what its ports are called. */
export interface NodePort<P extends object> {
  readonly type: 'NodePort';
  /** IPs or host names of nodes, or of what forwards to them, as the other clusters reach them. istiod resolves names. */
  readonly addresses: readonly string[];
  /** 30000 to 32767. */
  readonly ports: Readonly<P>;
}

/** How a cluster's gateways are reached. */
export interface Gateways {
  /** @default - a load balancer */
  readonly eastWest?: LoadBalancer | NodePort<{ tls: number }>;
  /**
   * On node ports only nodes that run a gateway pod answer, so that the gateway knows its clients' addresses.
   * `https` is for edges with TLS. @default - a load balancer
   */
  readonly ingress?: LoadBalancer | NodePort<{ http: number; https?: number }>;
}

/** A port of a gateway's Service. */
export interface GatewayPort {
  readonly name: string;
  readonly port: number;
  readonly targetPort: number;
  readonly appProtocol?: string;
}
