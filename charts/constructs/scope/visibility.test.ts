import { describe, expect, test } from '@jest/globals';
import { OrdersService } from '../../../gen/test/orders/v1/orders_pb.js';
import { synthesize } from '../../synth.ts';
import { catalogIn, clusters, objectOf, twoClusters } from '../../testing/mesh.ts';
import { withProject } from '../../testing/project.ts';
import { lab } from '../../platforms.ts';
import { GrpcService } from '../workload/grpc-service.ts';
import { HttpEdge } from '../edge/http-edge.ts';
import { Mesh } from '../mesh.ts';
import { exportTo } from './visibility.ts';

const annotation = 'networking.istio.io/exportTo';

function visible(rendered: ReturnType<typeof synthesize>, cluster: string, name: string) {
  const rule = objectOf(rendered, cluster, 'DestinationRule', name);
  const service = objectOf(rendered, cluster, 'Service', name);
  return [
    service?.metadata.annotations?.[annotation],
    (rule?.['spec'] as { exportTo: string[] } | undefined)?.exportTo,
  ];
}

test('exportTo names its own namespace first, and the others once, in order', () => {
  expect(exportTo('shop', [])).toEqual(['.']);
  expect(exportTo('shop', ['web', 'shop', 'api', 'web'])).toEqual(['.', 'api', 'web']);
});

describe('a service is visible', () => {
  test('to its own namespace, its callers, and the gateways between clusters', () => {
    withProject({}, (root) => {
      const mesh = twoClusters(root);
      const catalog = catalogIn(mesh.namespace('goods'));
      const orders = new GrpcService(mesh.namespace('shop'), 'orders', {
        app: 'apps/orders',
        service: OrdersService,
      });
      orders.calls(catalog.method.getProduct);
      const rendered = synthesize(mesh);
      for (const cluster of ['east', 'west']) {
        expect(visible(rendered, cluster, 'catalog')).toEqual([
          '.,istio-eastwest,shop',
          ['.', 'istio-eastwest', 'shop'],
        ]);
        // Nobody calls it.
        expect(visible(rendered, cluster, 'orders')).toEqual(['.', ['.']]);
        expect(visible(rendered, cluster, 'istio-ingressgateway')).toEqual(['.', undefined]);
      }
    });
  });

  test('to no gateway between clusters where there is only one', () => {
    withProject({}, (root) => {
      const { east } = clusters;
      const props = { root, trustDomain: 'demo.example', clusters: { east }, platform: lab };
      const mesh = new Mesh('demo', props);
      const namespace = mesh.namespace('shop');
      new GrpcService(namespace, 'orders', { app: 'apps/orders', service: OrdersService }).calls(
        catalogIn(namespace).method.getProduct,
      );
      expect(visible(synthesize(mesh), 'east', 'catalog')).toEqual(['.', ['.']]);
    });
  });

  test('and the HTTP edge to the gateways that lead to it', () => {
    withProject({}, (root) => {
      const mesh = twoClusters(root);
      const namespace = mesh.namespace('shop');
      new HttpEdge(namespace, 'edge', { expose: [catalogIn(namespace)] });
      const rendered = synthesize(mesh);
      expect(visible(rendered, 'east', 'edge')).toEqual([
        '.,istio-eastwest,istio-ingress',
        ['.', 'istio-eastwest', 'istio-ingress'],
      ]);
      expect(objectOf(rendered, 'east', 'VirtualService', 'edge')).toMatchObject({
        spec: { exportTo: ['.', 'istio-ingress'] },
      });
    });
  });
});

test('istiod looks only into namespaces of the mesh, all of which carry the label it looks for', () => {
  withProject({}, (root) => {
    const mesh = twoClusters(root);
    mesh.namespace('shop');
    const rendered = synthesize(mesh);
    const selector = { 'app.kubernetes.io/part-of': 'demo' };
    expect(objectOf(rendered, 'west', 'IstioOperator', 'istio')).toMatchObject({
      spec: { meshConfig: { discoverySelectors: [{ matchLabels: selector }] } },
    });
    for (const name of ['shop', 'istio-system', 'istio-ingress', 'istio-eastwest']) {
      expect(objectOf(rendered, 'west', 'Namespace', name)?.metadata.labels).toMatchObject(selector);
    }
  });
});
