import { own } from '../../core/own.ts';
import { isIPv6 } from 'node:net';
import type { GatewayModel } from '../../charts/model/mesh-model.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import { loadBalancerAddresses } from '../plan/readiness.ts';

/** Where a gateway is reached: an IP or a host name, and a port. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/**
 * Every address of a cluster's gateway: the declared ones, else those in the status of its Service. Empty while the status
 * has none.
 */
export function gatewayEndpoints(
  gateway: GatewayModel,
  cluster: string,
  service: KubeObject | undefined,
): readonly Endpoint[] {
  const given = own(gateway.given, cluster);
  if (given !== undefined) return given.addresses.map((host) => ({ host, port: given.port }));
  const hosts = service === undefined ? [] : loadBalancerAddresses(service);
  return hosts.map((host) => ({ host, port: gateway.port }));
}

/** `HOST:PORT`, as URLs write it. */
export function formatEndpoint({ host, port }: Endpoint): string {
  return `${isIPv6(host) ? `[${host}]` : host}:${port}`;
}
