import { isIPv4 } from 'node:net';
import { throwIfAny } from '../../core/problem.ts';
import type { ClusterAccess, Clients } from './connection.ts';
import type { KubeClient } from './kube-client.ts';

/** Address by which the other clusters' control planes reach a cluster's API server. */
export function addressForOthers(client: KubeClient, access: ClusterAccess | undefined): string {
  return access?.apiServer ?? client.server;
}

/**
 * Checks that the pods of the other clusters can use the address of every API server.
 * @throws ProblemsError (exit 2) with every loopback or unspecified address; in a mesh of one cluster it is allowed.
 */
export function checkReachable(clients: Clients, access: Readonly<Record<string, ClusterAccess>>): void {
  const servers = Object.entries(clients).map(
    ([cluster, client]) => [cluster, addressForOthers(client, access[cluster])] as const,
  );
  if (servers.length < 2) return;
  throwIfAny(
    servers
      .filter(([, server]) => isLoopback(server))
      .map(([cluster, server]) => ({
        where: `cluster ${cluster}`,
        what: 'its API server has a loopback address, which the pods of the other clusters cannot reach',
        received: server,
        fix: `set clusters.${cluster}.apiServer in the stack file to an address that the other clusters can reach`,
      })),
  );
}

function isLoopback(server: string): boolean {
  const host = new URL(server).hostname.replace(/^\[|\]$/g, '');
  // The unspecified addresses connect to this machine as well.
  return (
    ['localhost', '::1', '::', '0.0.0.0'].includes(host) ||
    host.endsWith('.localhost') ||
    (isIPv4(host) && host.startsWith('127.'))
  );
}
