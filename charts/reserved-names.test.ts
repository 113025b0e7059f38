import { describe, expect, test } from '@jest/globals';
import { CatalogService } from '../gen/test/catalog/v1/catalog_pb.js';
import { GrpcService, HttpEdge } from './index.ts';
import { catalogIn, problemsOf, twoClusters } from './testing/mesh.ts';
import { withProject } from './testing/project.ts';

const catalog = { app: 'apps/catalog', service: CatalogService };

describe('D2: names that mean something to Kubernetes or Istio', () => {
  test('of services: the account of all pods, and the Service of the API server', () => {
    withProject({}, (root) => {
      const mesh = twoClusters(root);
      const [shop, standard] = [mesh.namespace('shop'), mesh.namespace('default')];
      new GrpcService(shop, 'default', catalog);
      new HttpEdge(standard, 'default', { expose: [catalogIn(shop)] });
      new GrpcService(standard, 'kubernetes', catalog);
      // Elsewhere nobody asks for it.
      new GrpcService(shop, 'kubernetes', catalog);
      const account = 'its service account would be the one that every pod without its own account runs as';
      expect(problemsOf(mesh)).toEqual([
        `demo/shop/default: ${account}; received "default"; fix: choose another name`,
        `demo/default/default: ${account}; received "default"; fix: choose another name`,
        'demo/default/kubernetes: its Service would replace that of the API server; ' +
          'received "kubernetes"; fix: choose another name',
      ]);
    });
  });

  test('of namespaces: the prefix that is Kubernetes’ own', () => {
    withProject({}, (root) => {
      const mesh = twoClusters(root);
      mesh.namespace('kube-shop');
      expect(problemsOf(mesh)).toEqual([
        'demo/kube-shop: the namespace is reserved, not for applications; received "kube-shop"; fix: choose another name',
      ]);
    });
  });

  test.each(['istio-proxy', 'istio-init', 'istio-validation', 'enable-core-dump', 'http-gateway'])(
    'of apps, which their containers are called by: %s',
    (name) => {
      const app = { services: ['test.catalog.v1.CatalogService'], ports: { grpc: 50051 } };
      withProject({ [name]: app }, (root) => {
        const mesh = twoClusters(root);
        catalogIn(mesh.namespace('shop'), { app: `apps/${name}` });
        expect(problemsOf(mesh)).toEqual([
          `apps/${name}/config.yml: name: is the name of a container that Istio or the HTTP gateway has in the same pod; ` +
            `received "${name}"; allowed a name other than istio-proxy, istio-init, istio-validation, enable-core-dump, http-gateway; ` +
            'fix: rename the app and its folder',
        ]);
      });
    },
  );
});
