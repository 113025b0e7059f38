import type { GivenAddress } from '../../model/mesh-model.ts';
import type { Cluster, Mesh } from '../mesh.ts';

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

/** Either kind, whatever its ports are called. */
export type GatewayAddress = LoadBalancer | NodePort<Partial<Record<string, number>>>;

/** How one gateway of a cluster is reached: as the cluster says, else the mesh; nothing when neither does. */
export function addressOf(
  mesh: Mesh<string>,
  cluster: Cluster,
  gateway: keyof Gateways,
): GatewayAddress | undefined {
  return cluster.gateways?.[gateway] ?? mesh.gateways?.[gateway];
}

/**
 * The gateways that no Service's status tells the address of, as `values.global.meshNetworks`; the same for every istiod
 * (https://istio.io/latest/docs/reference/config/istio.mesh.v1alpha1/#MeshNetworks).
 */
export function meshNetworks(mesh: Mesh<string>): Readonly<Record<string, object>> {
  const networks = mesh.clusters.flatMap((cluster): [string, object][] => {
    const address = addressOf(mesh, cluster, 'eastWest');
    if (address?.type !== 'NodePort') return [];
    const gateways = address.addresses.map((host) => ({ address: host, port: address.ports['tls'] }));
    return [[cluster.network, { endpoints: [{ fromRegistry: cluster.name }], gateways }]];
  });
  return Object.fromEntries(networks);
}

/** Addresses given in the declaration, by cluster, with the node port called `port`; for {@link GatewayModel}. */
export function givenAddresses(
  mesh: Mesh<string>,
  gateway: keyof Gateways,
  port: string,
): Readonly<Record<string, GivenAddress>> {
  return Object.fromEntries(
    mesh.clusters.flatMap((cluster) => {
      const address = addressOf(mesh, cluster, gateway);
      const nodePort = address?.type === 'NodePort' ? address.ports[port] : undefined;
      if (address?.type !== 'NodePort' || nodePort === undefined) return [];
      return [[cluster.name, { addresses: address.addresses, port: nodePort }]];
    }),
  );
}
