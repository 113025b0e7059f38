import { expect, test } from '@jest/globals';
import { InventoryService } from '../gen/test/inventory/v1/inventory_pb.js';
import { formatProblem } from '../core/problem.ts';
import { GrpcService } from './constructs/workload/grpc-service.ts';
import { catalogIn, twoClusters } from './testing/mesh.ts';
import { withProject } from './testing/project.ts';
import { unusedApps } from './unused-apps.ts';

test('app folders that no environment runs are told of, the gateway aside', () => {
  const returns = { services: ['shop.returns.v1.ReturnsService'], ports: { grpc: 50053 } };
  // One whose image is built elsewhere is run as well, or forgotten.
  const cart = {
    services: ['shop.cart.v1.CartService'],
    image: 'cart:1.4.0',
    ...{ ports: undefined, port: 7070 },
  };
  withProject({ returns, cart }, (root) => {
    const meshes = [twoClusters(root), twoClusters(root)];
    const [first, second] = meshes.map((mesh) => mesh.namespace('shop'));
    catalogIn(first!);
    new GrpcService(second!, 'stock', { app: 'apps/inventory', service: InventoryService });
    expect(unusedApps(root, meshes).map(formatProblem)).toEqual(
      ['apps/cart', 'apps/orders', 'apps/returns'].map(
        (app) =>
          `${app}: no construct of mesh.ts runs this app, so nothing is rendered for it; fix: declare it, such as by new GrpcService(namespace, NAME, { app: '${app}', service }), or remove the folder`,
      ),
    );
  });
});
