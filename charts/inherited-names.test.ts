import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { own } from '../core/own.ts';
import { CatalogService } from '../gen/test/catalog/v1/catalog_pb.js';
import { OrdersService } from '../gen/test/orders/v1/orders_pb.js';
import { GrpcService, HttpEdge, lab, Mesh, TrafficPolicy } from './index.ts';
import { synthesize } from './synth.ts';
import { objectOf, problemsOf } from './testing/mesh.ts';
import { withProject } from './testing/project.ts';

/** Names that every object inherits; `constructor` is a DNS label, too. */
const inherited = Object.getOwnPropertyNames(Object.prototype);

const place = (name: string) => ({ network: `net-${name}`, region: `region-${name}`, zone: 'a' });

/** A mesh in which as much as possible is called like what every object inherits. */
function declare(root: string, policy: object = {}) {
  const clusters = { constructor: place('c'), west: place('w') };
  const mesh = new Mesh('constructor', { root, trustDomain: 'demo.example', clusters, platform: lab });
  const namespace = mesh.namespace('constructor');
  const service = new GrpcService(namespace, 'constructor', {
    app: 'apps/catalog',
    service: CatalogService,
    versions: { constructor: {}, b: {} },
  });
  new TrafficPolicy(service, 'constructor', policy);
  return { mesh, namespace, service };
}

describe('D6: names that every object inherits are names like others', () => {
  test('of meshes, clusters, namespaces, services, versions and policies', () => {
    withProject({}, (root) => {
      const distribution = { constructor: { constructor: 100 }, west: { west: 100 } };
      const { mesh, namespace, service } = declare(root, {
        weights: { constructor: 100, b: 0 },
        distribution,
      });
      const orders = new GrpcService(namespace, 'orders', { app: 'apps/orders', service: OrdersService });
      orders.calls(service.method.getProduct);
      new HttpEdge(namespace, 'edge', { expose: [service] });
      expect(problemsOf(mesh)).toEqual([]);
      expect([service.where, service.isDuplicate]).toEqual(['constructor/constructor/constructor', false]);
      const deployment = objectOf(synthesize(mesh), 'constructor', 'Deployment', 'constructor-constructor');
      expect(deployment).toMatchObject({ metadata: { namespace: 'constructor' } });
    });
  });

  test('and are missed where they are left out', () => {
    withProject({}, (root) => {
      const { mesh } = declare(root, { weights: { b: 100 }, distribution: { west: { west: 100 } } });
      const at = 'constructor/constructor/constructor/constructor';
      expect(problemsOf(mesh)).toEqual([
        `${at}: distribution: has no shares for calls made in constructor, which Istio would then spread evenly over all ` +
          'pods of all clusters; fix: add constructor: { constructor: 100 }, or other shares',
        `${at}: weights: leaves out version constructor; fix: add constructor: 0, or its share`,
      ]);
    });
  });

  test('and told twice only where they are', () => {
    withProject({}, (root) => {
      const { mesh, namespace } = declare(root);
      mesh.namespace('constructor');
      new GrpcService(namespace, 'constructor', { app: 'apps/catalog', service: CatalogService });
      expect(problemsOf(mesh)).toEqual([
        'constructor/constructor/constructor: the namespace has two services of this name; received "constructor"; fix: rename one',
        'constructor/constructor: the namespace is declared twice; received "constructor"; fix: declare it once and share it',
      ]);
    });
  });

  test.each(inherited)('a service has no method %s', (name) => {
    withProject({}, (root) => {
      const { mesh, namespace, service } = declare(root);
      const orders = new GrpcService(namespace, 'orders', { app: 'apps/orders', service: OrdersService });
      const methods = service.method as unknown as Record<string, typeof service.method.getProduct>;
      orders.calls(methods[name] as never);
      expect(problemsOf(mesh)).toEqual([
        'constructor/constructor/orders: calls[0]: constructor/constructor/constructor has no such method; ' +
          `received "${name}"; allowed getProduct, listProducts, watchPrices`,
      ]);
    });
  });

  test.each(['constructor', '__proto__'])(
    'what cannot be written is refused, not lost: metadata %s',
    (name) => {
      withProject({}, (root) => {
        const metadata = Object.fromEntries([[name, { exact: 'a' }]]);
        const { mesh } = declare(root, {
          weights: { constructor: 100, b: 0 },
          rules: [{ metadata, to: 'b' }],
        });
        expect(problemsOf(mesh)).toEqual([
          'constructor/constructor/constructor: the VirtualService constructor/constructor has a key that cdk8s cannot write; ' +
            `received "${name}"; fix: choose another name`,
        ]);
      });
    },
  );

  test('what is looked up is found only where it is an own key', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.oneof(fc.string(), fc.constantFrom(...inherited)), fc.integer()),
        fc.oneof(fc.string(), fc.constantFrom(...inherited)),
        (record, name) => {
          expect(own(record, name)).toBe(new Map(Object.entries(record)).get(name));
        },
      ),
    );
  });
});
