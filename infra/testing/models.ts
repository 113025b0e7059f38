import type { MeshModel } from '../../charts/model/mesh-model.ts';

/** A small mesh, without the charts: one workload everywhere, one only in the last cluster. */
export function modelOf(clusters: readonly string[]): MeshModel {
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
