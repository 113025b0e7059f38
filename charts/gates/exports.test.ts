import { expect, test } from '@jest/globals';
import { OrdersService } from '../../gen/test/orders/v1/orders_pb.js';
import { GrpcService } from '../constructs/workload/grpc-service.ts';
import { istio, problemsWith } from '../testing/custom.ts';
import { catalogIn } from '../testing/mesh.ts';

const host = 'catalog.shop.svc.cluster.local';

test('policy and hosts that a caller or a gateway needs and does not see', () => {
  const found = problemsWith(
    (into) => {
      istio(into, 'VirtualService', 'routes', {
        hosts: [host],
        exportTo: ['.'],
        http: [{ route: [{ destination: { host: 'orders.web.svc.cluster.local' } }] }],
      });
      istio(into, 'Sidecar', 'custom', {
        egress: [{ hosts: ['web/orders.web.svc.cluster.local'] }],
      });
    },
    (mesh, namespace) => {
      const catalog = catalogIn(namespace);
      const orders = new GrpcService(mesh.namespace('web'), 'orders', {
        app: 'apps/orders',
        service: OrdersService,
      });
      orders.calls(catalog.method.getProduct);
    },
  );
  const needs = (kind: string, namespace: string, why: string) =>
    `demo/web/orders: ${kind} web/orders is not exported to namespace ${namespace}, where ${why} needs it; `;
  const gateway = 'Gateway istio-eastwest/cross-network-gateway';
  // The service has a VirtualService of its own, too, and calls are led to another: not what this is about.
  expect(found.filter((problem) => !/claims|elsewhere/.test(problem))).toEqual([
    `${needs('Service', 'shop', 'Sidecar shop/custom')}received ["."]; fix: add shop to its exportTo`,
    `${needs('Service', 'istio-eastwest', gateway)}received ["."]; fix: add istio-eastwest to its exportTo`,
    `${needs('DestinationRule', 'shop', 'Sidecar shop/custom')}received ["."]; fix: add shop to its exportTo`,
    `${needs('DestinationRule', 'istio-eastwest', gateway)}received ["."]; fix: add istio-eastwest to its exportTo`,
    'demo/custom: VirtualService shop/routes is not exported to namespace web, where Sidecar web/orders needs it; received ["."]; fix: add web to its exportTo',
    `${needs('VirtualService', 'shop', 'Sidecar shop/custom')}received ["."]; fix: add shop to its exportTo`,
    'demo/custom: VirtualService shop/routes: spec.http.0.route.0 leads to orders.web.svc.cluster.local, which is not exported to namespace shop, where the VirtualService applies; received ["."]; fix: add shop to the exportTo of the host, or remove it from that of the VirtualService',
  ]);
});
