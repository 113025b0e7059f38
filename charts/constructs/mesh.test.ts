import { describe, expect, test } from '@jest/globals';
import { lab } from '../platforms.ts';
import { catalogIn, clusters, problemsOf, twoClusters } from '../testing/mesh.ts';
import { withProject } from '../testing/project.ts';
import { HttpEdge } from './edge/http-edge.ts';
import { Mesh } from './mesh.ts';
import type { ClusterProps } from './scope/cluster.ts';

const declare = (id: string, trustDomain: string, declared: Record<string, ClusterProps>) =>
  new Mesh(id, { root: '.', trustDomain, clusters: declared, platform: lab });

describe('problems', () => {
  test('none with one cluster, or with four', () => {
    const { east } = clusters;
    expect(problemsOf(declare('a', 'a.example', { east }))).toEqual([]);
    const four = Object.fromEntries(
      ['a', 'b', 'c', 'd'].map((name) => [name, { ...east, network: `net-${name}` }]),
    );
    expect(problemsOf(declare('a', 'a.example', four))).toEqual([]);
  });

  test('every wrong property at once, with what was received and what is allowed', () => {
    const declared = {
      East_1: { network: 'net one', region: '', zone: 'z1' },
      west: { network: 'net-west', region: 'r', zone: 'a/b' },
      north: { network: 'net-west', region: 'r', zone: 'z' },
    };
    const label = 'allowed a DNS label: 1 to 63 characters of a-z, 0-9 and hyphen, no hyphen at either end';
    const value =
      'allowed 1 to 63 letters, digits, hyphens, underscores and dots, starting and ending with a letter or digit';
    expect(problemsOf(declare('My mesh', 'Shop.Example/x', declared))).toEqual([
      `My mesh: the name of the mesh is not valid; received "My mesh"; ${label}`,
      'My mesh: trustDomain: is not a trust domain; received "Shop.Example/x"; ' +
        'allowed labels of 1 to 63 of a-z, 0-9 and inner hyphens, separated by dots, up to 255 characters in total, such as shop.example',
      `My mesh: clusters.East_1: the name of the cluster is not valid; received "East_1"; ${label}`,
      `My mesh: clusters.East_1.network: the network cannot be the value of a label; received "net one"; ${value}`,
      `My mesh: clusters.East_1.region: the region cannot be the value of a label; received ""; ${value}`,
      `My mesh: clusters.west.zone: the zone cannot be the value of a label; received "a/b"; ${value}`,
    ]);
  });

  test('what plain JavaScript leaves out', () => {
    const empty = JSON.parse('{"east":{},"west":{}}') as Record<string, ClusterProps>;
    const found = problemsOf(declare('a', 'a.example', empty));
    expect(found).toHaveLength(6);
    expect(found[0]).toBe(
      'a: clusters.east.network: the network cannot be the value of a label; received nothing; ' +
        'allowed 1 to 63 letters, digits, hyphens, underscores and dots, starting and ending with a letter or digit',
    );
    expect(problemsOf(declare('a', 'a.example', {}))).toEqual([
      'a: clusters: there is no cluster; fix: declare at least one',
    ]);
  });
});

test('the model says what the other parts of the project need to know', () => {
  withProject({}, (root) => {
    const mesh = twoClusters(root);
    const shop = mesh.namespace('shop');
    const catalog = catalogIn(shop, { placement: ['west', 'east'] });
    new HttpEdge(shop, 'edge', { expose: [catalog], placement: ['west'] });
    const controlPlane = { revision: 'default', name: 'istiod', ...mesh.model().istio };
    const image = /^localhost\/meshwright\/[a-z]+:1\.2\.3-[0-9a-f]{12}@sha256:[0-9a-f]{64}$/;
    expect(mesh.model()).toEqual({
      name: 'demo',
      trustDomain: 'demo.example',
      clusters: [
        {
          name: 'east',
          network: 'net-east',
          region: 'region-e',
          zone: 'zone-e1',
          controlPlanes: [controlPlane],
        },
        {
          name: 'west',
          network: 'net-west',
          region: 'region-w',
          zone: 'zone-w1',
          controlPlanes: [controlPlane],
        },
      ],
      controlPlane: { namespace: 'istio-system' },
      ingress: { namespace: 'istio-ingress', name: 'istio-ingressgateway', port: 80, given: {} },
      eastWest: { namespace: 'istio-eastwest', name: 'istio-eastwestgateway', port: 15443, given: {} },
      namespaces: ['shop'],
      workloads: [
        {
          name: 'catalog',
          namespace: 'shop',
          app: 'apps/catalog',
          services: ['test.catalog.v1.CatalogService'],
          placement: ['east', 'west'],
          deployments: [{ name: 'catalog', version: 'v1', placement: ['east', 'west'], replicas: 2 }],
          answersFrom: ['east', 'west'],
          local: true,
          calls: [],
          ports: { grpc: 50051, http: 8081 },
        },
        {
          name: 'edge',
          namespace: 'shop',
          app: 'apps/gateway',
          services: [],
          placement: ['west'],
          deployments: [{ name: 'edge', version: 'v1', placement: ['west'], replicas: 1 }],
          answersFrom: ['west'],
          local: true,
          calls: [
            {
              workload: 'catalog',
              namespace: 'shop',
              port: 50051,
              path: '/test.catalog.v1.CatalogService/GetProduct',
              answeredBy: 'service',
            },
          ],
          ports: { http: 8080 },
          edge: {
            hosts: ['*'],
            tls: false,
            openapi: false,
            example: { path: '/v1/products', token: false },
            reads: [{ workload: 'catalog', namespace: 'shop', path: '/v1/products' }],
          },
        },
      ],
      images: [
        { app: 'apps/catalog', reference: expect.stringMatching(image) },
        { app: 'apps/gateway', reference: expect.stringMatching(image) },
      ],
      istio: { hub: 'localhost/meshwright', tag: lab.istio.tag },
    });
  });
});

test('the model of a mesh with a wrong config.yml is its problems', () => {
  withProject({ catalog: undefined }, (root) => {
    const mesh = twoClusters(root);
    catalogIn(mesh.namespace('shop'));
    expect(() => mesh.model()).toThrow(
      'apps/catalog/config.yml: no such file; allowed apps/gateway, apps/inventory, apps/orders; ' +
        'fix: create apps/catalog/config.yml',
    );
  });
});
