import { describe, expect, test } from '@jest/globals';
import { k8s } from 'cdk8s-plus-28';
import { HttpEdge } from '../constructs/edge/http-edge.ts';
import { istio, problemsWith } from '../testing/custom.ts';
import { catalogIn } from '../testing/mesh.ts';
import type { Projection } from '../constructs/scope/projection.ts';

const host = 'catalog.shop.svc.cluster.local';
const withCatalog = (add: (into: Projection) => void) =>
  // The service has a VirtualService of its own, too: that the two conflict is another gate's matter.
  problemsWith(add, (_, namespace) => catalogIn(namespace)).filter((problem) => !problem.includes('claims'));

describe('a route that leads nowhere', () => {
  test('to a port or a subset that is not there', () => {
    const found = withCatalog((into) => {
      istio(into, 'VirtualService', 'routes', {
        hosts: [host],
        http: [{ route: [{ destination: { host, port: { number: 9 }, subset: 'v1' } }] }],
      });
    });
    expect(found).toEqual([
      `demo/custom: VirtualService shop/routes: spec.http.0.route.0 leads to a port that ${host} does not have; received 9; allowed 50051, 8081`,
      `demo/custom: VirtualService shop/routes: spec.http.0.route.0 leads to a subset that no DestinationRule of ${host} has; received "v1"; allowed none, because no subset is declared`,
    ]);
  });

  test('because another one takes all its calls before', () => {
    const route = [{ destination: { host } }];
    const match = [{ uri: { prefix: '/a' } }];
    const found = withCatalog((into) => {
      istio(into, 'VirtualService', 'routes', {
        hosts: [host],
        http: [
          { match, route },
          { match: [{ name: 'again', uri: { prefix: '/a' } }], route },
          { route },
          { match: [{ uri: { prefix: '/b' } }], route },
        ],
      });
    });
    const fix = 'fix: put it first, or remove it';
    expect(found).toEqual([
      `demo/custom: VirtualService shop/routes: spec.http.1 is never reached, because spec.http.0 matches all its calls first; ${fix}`,
      `demo/custom: VirtualService shop/routes: spec.http.3 is never reached, because spec.http.2 matches all its calls first; ${fix}`,
    ]);
  });
});

test('a subset that no route leads to, or whose labels no pod carries', () => {
  const found = problemsWith((into) => {
    const spec = { ports: [{ name: 'grpc', port: 50051 }] };
    into.add('40-services', k8s.KubeService, { name: 'x', namespace: 'shop' }, { spec });
    istio(into, 'DestinationRule', 'x', { host: 'x', subsets: [{ name: 'v1', labels: { version: 'v1' } }] });
  });
  expect(found).toEqual([
    'demo/custom: DestinationRule shop/x: spec.subsets has a subset that no route leads to; received "v1"; fix: route to it, or remove it',
    'demo/custom: DestinationRule shop/x: spec.subsets has a subset with labels that no pod in namespace shop has; received "v1"; fix: give the pods the labels, or remove it',
  ]);
});

describe('a VirtualService that no gateway reads', () => {
  const found = (gateway: string, spec: object = {}, hosts = ['a.example']) =>
    problemsWith(
      (into) => {
        const servers = [{ port: { number: 80, name: 'http', protocol: 'HTTP' }, hosts: ['a.example'] }];
        istio(into, 'Gateway', 'web', { selector: { istio: 'ingressgateway' }, servers });
        istio(into, 'Gateway', 'lost', { selector: { istio: 'other' }, servers });
        const http = [{ route: [{ destination: { host: 'edge' } }] }];
        istio(into, 'VirtualService', 'web', { hosts, gateways: [gateway], http, ...spec });
      },
      (_, namespace) => {
        // Visible to the ingress gateways.
        new HttpEdge(namespace, 'edge', { expose: [catalogIn(namespace)] });
      },
    ).filter((problem) => problem.includes('VirtualService shop/web'));
  const at = 'demo/custom: VirtualService shop/web: spec.gateways names a Gateway that';

  test('because there is none of the name', () => {
    expect(found('wep')).toEqual([`${at} does not exist; received "wep"; fix: did you mean web?`]);
  });
  test('because it serves none of the hosts', () => {
    expect(found('web', {}, ['b.example'])).toEqual([
      `${at} serves none of its hosts b.example; received "web"`,
    ]);
  });
  test('because no pod is behind the Gateway', () => {
    expect(found('lost')).toEqual(
      ['east', 'west'].map((cluster) => `${at} selects no pod of ${cluster}; received "lost"`),
    );
  });
  test('because it is not exported to the pods behind the Gateway', () => {
    expect(found('web', { exportTo: ['.'] })).toEqual([
      'demo/custom: VirtualService shop/web: spec.exportTo leaves out the namespace of the pods of Gateway web; ' +
        `received ["."]; allowed '*', or a list with istio-ingress`,
    ]);
  });
  test('but one that is read passes', () => {
    expect(found('shop/web', { exportTo: ['istio-ingress'] })).toEqual([]);
  });
});
