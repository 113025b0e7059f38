import { k8s } from 'cdk8s-plus-28';
import type { Differs } from '../../model/rendered.ts';
import type { Cluster } from '../scope/cluster.ts';
import type { GatewayPort, Gateways, LoadBalancer } from '../scope/gateway-address.ts';
import type { Mesh } from '../scope/mesh-construct.ts';
import { anySourceAnnotation } from '../../model/labels.ts';
import { addressOf } from './address.ts';

/** What makes a gateway's Service what it is, by how the gateway is reached. */
export interface GatewayService {
  readonly annotations: Readonly<Record<string, string>>;
  readonly spec: Omit<k8s.ServiceSpec, 'selector'>;
  /** What may differ between clusters, when one of them declares an address of its own. */
  readonly differs: Differs | undefined;
}

/** Where a load balancer asks whether the gateway is up. */
const statusPort: GatewayPort = { name: 'http-status', port: 15021, targetPort: 15021 };

/** The part of a gateway's Service that says how the gateway is reached in one cluster. */
export function gatewayService(
  mesh: Mesh,
  cluster: Cluster,
  gateway: keyof Gateways,
  ports: readonly GatewayPort[],
): GatewayService {
  const address = addressOf(mesh, cluster, gateway);
  const ownAddress = mesh.clusters.some(({ gateways }) => gateways?.[gateway] !== undefined);
  const differs = ownAddress ? ofAddress : undefined;
  if (address?.type !== 'NodePort') return { ...loadBalancer(mesh, address, ports), differs };
  return {
    annotations: {},
    spec: {
      type: 'NodePort',
      ports: ports.map((port) => servicePort(port, address.ports[port.name])),
    },
    differs,
  };
}

function loadBalancer(
  { platform }: Mesh,
  address: LoadBalancer | undefined,
  ports: readonly GatewayPort[],
): Pick<GatewayService, 'annotations' | 'spec'> {
  const { nodePorts, sources: byDefault } = platform.gateway;
  const sources = address?.sources ?? byDefault;
  const ranges = Array.isArray(sources)
    ? { loadBalancerSourceRanges: [...(sources as readonly string[])] }
    : {};
  const reason = sources !== undefined && 'any' in sources ? { [anySourceAnnotation]: sources.any } : {};
  return {
    annotations: { ...address?.annotations, ...reason },
    spec: {
      type: 'LoadBalancer',
      ...ranges,
      ...(address?.class === undefined ? {} : { loadBalancerClass: address.class }),
      ...(nodePorts ? {} : { allocateLoadBalancerNodePorts: false }),
      ports: [statusPort, ...ports].map((port) => servicePort(port)),
    },
  };
}

function servicePort(
  { name, port, targetPort, appProtocol }: GatewayPort,
  nodePort?: number,
): k8s.ServicePort {
  return {
    name,
    port,
    protocol: 'TCP',
    targetPort: k8s.IntOrString.fromNumber(targetPort),
    ...(nodePort === undefined ? {} : { nodePort }),
    ...(appProtocol === undefined ? {} : { appProtocol }),
  };
}

/** The fields by which the forms of address differ, whether one of them is in a cluster or not. */
const ofAddress: Differs = {
  because: 'each cluster declares how its gateway is reached',
  paths: [
    ['metadata', 'annotations'],
    ...[
      'type',
      'ports',
      'loadBalancerSourceRanges',
      'loadBalancerClass',
      'allocateLoadBalancerNodePorts',
    ].map((field) => ['spec', field]),
  ],
};
