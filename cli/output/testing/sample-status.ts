import type { ClusterStatus, MeshStatus } from '../../../infra/status/mesh-status.ts';

/** A healthy cluster of the lab, which reads one other. */
export function clusterStatus(
  address: string,
  other: string,
  changes: Partial<ClusterStatus> = {},
): ClusterStatus {
  return {
    context: 'prod',
    ready: true,
    ingress: `http://${address}:80`,
    eastWest: `${address}:15443`,
    nodes: 1,
    certificateNotAfter: '2031-01-01T00:00:00.000Z',
    trust: {
      state: 'generation 1, intermediate 1',
      rootNotAfter: '2039-12-30T00:00:00.000Z',
      warning: null,
      keyInSecret: true,
    },
    controlPlanes: [{ revision: 'default', ready: true, proxies: 6 }],
    remotes: {
      [other]: {
        tokenNotAfter: '2030-06-01T00:00:00.000Z',
        istiod: 'synced',
        problem: null,
        warning: null,
        listsSecrets: 'none',
      },
    },
    ...changes,
  };
}

/** A healthy mesh of two clusters. */
export function meshStatus(changes: Partial<MeshStatus> = {}): MeshStatus {
  return {
    engine: 'apply',
    clusters: {
      east: clusterStatus('172.29.0.10', 'west', { context: 'east' }),
      west: clusterStatus('172.29.0.20', 'east', { context: 'west' }),
    },
    services: {
      catalog: { east: { desired: 1, ready: 1 }, west: { desired: 1, ready: 1 } },
      orders: { east: { desired: 1, ready: 1 } },
    },
    rollouts: [],
    runs: [],
    unfinishedUp: null,
    crossCluster: { ok: true, checked: '2030-01-01T00:00:00.000Z' },
    ...changes,
  };
}
