import type { ExistingIstioModel, MeshModel } from '../../charts/model/mesh-model.ts';

/** The model of a mesh with an Istio and gateways of its own. */
type OwnIstioModel = MeshModel & Required<Pick<MeshModel, 'ingress' | 'eastWest' | 'istio'>>;

/** A small mesh, without the charts: one workload everywhere, one only in the last cluster. */
export function modelOf(clusters: readonly string[]): OwnIstioModel {
  const workload = { namespace: 'shop', services: [], local: true, calls: [], ports: { grpc: 50051 } };
  return {
    name: 'shop',
    trustDomain: 'shop.example',
    clusters: clusters.map((name) => ({
      name,
      network: `net-${name}`,
      region: name,
      zone: `${name}-a`,
      controlPlanes: [{ revision: 'default', name: 'istiod', hub: 'localhost/mesh', tag: '1' }],
    })),
    controlPlane: { namespace: 'istio-system' },
    ingress: { namespace: 'istio-ingress', name: 'istio-ingressgateway', port: 80, given: {} },
    eastWest: { namespace: 'istio-eastwest', name: 'istio-eastwestgateway', port: 15443, given: {} },
    namespaces: ['shop'],
    workloads: [
      {
        ...workload,
        name: 'catalog',
        app: 'apps/catalog',
        placement: clusters,
        answersFrom: clusters,
        deployments: [{ name: 'catalog', version: 'v1', placement: clusters, replicas: 2 }],
      },
      {
        ...workload,
        name: 'inventory',
        app: 'apps/inventory',
        placement: clusters.slice(-1),
        answersFrom: clusters.slice(-1),
        deployments: [{ name: 'inventory', version: 'v1', placement: clusters.slice(-1), replicas: 1 }],
      },
    ],
    images: [],
    istio: { hub: 'localhost/mesh', tag: '1' },
  };
}

/** The same workloads on an Istio of others, in a namespace that is shared, too; without edges. */
export function modelOnExisting(
  clusters: readonly string[],
  existing: Partial<ExistingIstioModel> = {},
): MeshModel {
  const { name, controlPlane, namespaces, workloads, images, clusters: made } = modelOf(clusters);
  return {
    ...{ name, controlPlane, images },
    trustDomain: 'cluster.local',
    clusters: made.map((cluster) => ({ ...cluster, controlPlanes: [] })),
    namespaces: [...namespaces, ...(existing.sharedNamespaces ?? [])],
    workloads,
    existing: {
      revision: 'prod',
      rootNamespace: 'istio-system',
      cni: true,
      sharedNamespaces: [],
      needs: [],
      ...existing,
    },
  };
}
