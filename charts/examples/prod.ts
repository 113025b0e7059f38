import { CatalogService } from '../../gen/shop/catalog/v1/catalog_pb.js';
import { GrpcService, HttpEdge, Mesh, released } from '../index.ts';

/**
 * An example of a declaration for two managed clusters, as the stack file `Pulumi.prod.yaml` reaches them: released Istio
 * images, load balancers of the clouds, the catalog in both clusters behind one HTTP edge. To bring it up, `infra/index.ts`
 * runs it in place of `shop`.
 * @param root - project root, which the app folders are relative to
 */
export function prod(root: string): Mesh<'east' | 'west'> {
  const mesh = new Mesh('prod', {
    root,
    trustDomain: 'prod.example',
    clusters: {
      east: { network: 'vpc-east', region: 'us-east-1', zone: 'us-east-1a' },
      west: { network: 'vpc-west', region: 'us-west-2', zone: 'us-west-2a' },
    },
    gateways: {
      // Only the other cluster's nodes call it, from the addresses that they leave their network by.
      eastWest: { type: 'LoadBalancer', sources: ['192.0.2.0/24', '198.51.100.0/24'] },
      ingress: { type: 'LoadBalancer', sources: { any: 'customers call from anywhere' } },
    },
    platform: released({ imageHub: 'registry.example/shop', istioTag: '1.29.2' }),
  });
  const namespace = mesh.namespace('shop');
  const catalog = new GrpcService(namespace, 'catalog', { app: 'apps/catalog', service: CatalogService });
  new HttpEdge(namespace, 'edge', { expose: [catalog] });
  return mesh;
}
