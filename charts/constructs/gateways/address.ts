import type { GivenAddress } from '../../model/mesh-model.ts';
import type { Cluster } from '../scope/cluster.ts';
import type { Gateways, LoadBalancer, NodePort } from '../scope/gateway-address.ts';
import type { Mesh } from '../scope/mesh-construct.ts';

/** Either kind, whatever its ports are called. */
export type GatewayAddress = LoadBalancer | NodePort<Partial<Record<string, number>>>;

/** How one gateway of a cluster is reached: as the cluster says, else the mesh; nothing when neither does. */
export function addressOf(mesh: Mesh, cluster: Cluster, gateway: keyof Gateways): GatewayAddress | undefined {
  return cluster.gateways?.[gateway] ?? mesh.gateways?.[gateway];
}

/**
 * The gateways that no Service's status tells the address of, as `values.global.meshNetworks`; the same for every istiod
 * (https://istio.io/latest/docs/reference/config/istio.mesh.v1alpha1/#MeshNetworks). A network is reached by the gateways of any of
 * its clusters.
 */
export function meshNetworks(mesh: Mesh): Readonly<Record<string, object>> {
  const declared = mesh.clusters.flatMap((cluster) => {
    const address = addressOf(mesh, cluster, 'eastWest');
    return address?.type === 'NodePort' ? [{ cluster, address }] : [];
  });
  const networks = Map.groupBy(declared, ({ cluster }) => cluster.network);
  return Object.fromEntries(
    [...networks].map(([network, of]) => [
      network,
      {
        endpoints: of.map(({ cluster }) => ({ fromRegistry: cluster.name })),
        gateways: of.flatMap(({ address }) =>
          address.addresses.map((host) => ({ address: host, port: address.ports['tls'] })),
        ),
      },
    ]),
  );
}

/** Addresses given in the declaration, by cluster, with the node port called `port`; for {@link GatewayModel}. */
export function givenAddresses(
  mesh: Mesh,
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
