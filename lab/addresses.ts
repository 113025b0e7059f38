import { isIPv4 } from 'node:net';
import { ProblemsError } from '../core/problem.ts';

/** The lab's default network: a /24, one bridge for all nodes. */
export const defaultSubnet = '172.29.0.0/24';

/** Addresses of one node and of what runs in it. */
export interface NodeAddresses {
  /** The node's own address on the bridge. */
  readonly node: string;
  /** Addresses for Services of type LoadBalancer, in the order they are handed out. */
  readonly loadBalancers: readonly string[];
  /** Pod network (CIDR). Routed between the nodes of clusters on one network only: from another one gateways alone are reached. */
  readonly pods: string;
  /** Service network (CIDR). */
  readonly services: string;
  /** The first Service address, which Kubernetes gives to the API server itself. */
  readonly apiService: string;
}

export interface LabAddresses {
  readonly subnet: string;
  /** The host's own address on the bridge, and the nodes' default route. */
  readonly host: string;
  readonly nodes: Readonly<Record<string, NodeAddresses>>;
}

/** Maximum number of nodes in one /24: each takes one address and a block of 16 for load balancers. */
export const maxNodes = 4;

const loadBalancersPerNode = 16;

/**
 * Lays the addresses of a lab out: `.1` the host, `.2` onwards the nodes, `.32` onwards a block of 16 load
 * balancer addresses a node. Pod and Service networks are inside each node's own namespaces, so they collide
 * with nothing outside; they differ between nodes to look like two real clusters.
 * @throws ProblemsError when the subnet is not an IPv4 /24 or there are more than {@link maxNodes} nodes.
 */
export function planAddresses(subnet: string, nodes: readonly string[]): LabAddresses {
  const prefix = parseSubnet(subnet);
  if (nodes.length > maxNodes) {
    throw new ProblemsError([
      {
        where: 'lab',
        what: 'too many clusters for one lab',
        received: nodes.length,
        allowed: `1 to ${maxNodes}`,
      },
    ]);
  }
  return {
    subnet,
    host: `${prefix}.1`,
    nodes: Object.fromEntries(
      nodes.map((name, index): [string, NodeAddresses] => {
        const firstLoadBalancer = 32 + index * loadBalancersPerNode;
        return [
          name,
          {
            node: `${prefix}.${2 + index}`,
            loadBalancers: Array.from(
              { length: loadBalancersPerNode },
              (_, i) => `${prefix}.${firstLoadBalancer + i}`,
            ),
            pods: `10.${10 + 10 * index}.0.0/16`,
            services: `10.${11 + 10 * index}.0.0/16`,
            apiService: `10.${11 + 10 * index}.0.1`,
          },
        ];
      }),
    ),
  };
}

function parseSubnet(subnet: string): string {
  const [address = '', length, ...rest] = subnet.split('/');
  if (!isIPv4(address) || length !== '24' || rest.length > 0 || !address.endsWith('.0')) {
    throw new ProblemsError([
      {
        where: '--lab-subnet',
        what: 'is not a valid subnet for a lab',
        received: subnet,
        allowed: `an IPv4 /24 such as ${defaultSubnet}`,
      },
    ]);
  }
  return address.slice(0, -'.0'.length);
}

/** Whether two IPv4 CIDRs share an address. */
export function overlaps(a: string, b: string): boolean {
  const [first, second] = [toRange(a), toRange(b)];
  return first.from <= second.to && second.from <= first.to;
}

function toRange(cidr: string): { from: number; to: number } {
  const [address = '', length = '32'] = cidr.split('/');
  const bits = address.split('.').reduce((sum, octet) => sum * 256 + Number(octet), 0);
  const size = 2 ** (32 - Number(length));
  const from = Math.floor(bits / size) * size;
  return { from, to: from + size - 1 };
}
