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
    const route = [{ destination: { host, port: { number: 50051 } } }];
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

describe('a match that takes only what an earlier one takes', () => {
  const at = 'demo/custom: VirtualService shop/routes: spec.';
  const fix = 'fix: put it first, or remove it';
  const destination = { host, port: { number: 50051 } };
  const found = (protocol: string, ...routes: readonly (readonly object[])[]) =>
    withCatalog((into) => {
      const list = routes.map((match) => ({ match, route: [{ destination }] }));
      istio(into, 'VirtualService', 'routes', { hosts: [host], [protocol]: list });
    });
  const get = { method: { exact: 'GET' } };

  test.each<[string, object, object]>([
    ['a longer beginning', { uri: { prefix: '/a' } }, { uri: { prefix: '/a/b' } }],
    ['a path of that beginning', { uri: { prefix: '/a' } }, { uri: { exact: '/a' } }],
    ['one more condition', { uri: { prefix: '/a' } }, { uri: { prefix: '/a' }, ...get }],
    [
      'one more header',
      { headers: { a: { exact: '1' } } },
      { headers: { a: { exact: '1' }, b: { exact: '2' } } },
    ],
    ['fewer gateways', { gateways: ['mesh', 'b'] }, { gateways: ['mesh'] }],
  ])('%s', (_, wide, narrow) => {
    const problem = 'is never reached, because spec.http.0';
    expect(found('http', [wide], [{ port: 9 }, narrow])).toEqual([
      `${at}http.1.match.1 ${problem}.match.0 matches all its calls first; ${fix}`,
    ]);
    expect(found('http', [wide, narrow])).toEqual([
      `${at}http.0.match.1 ${problem}.match.0 matches all its calls first; ${fix}`,
    ]);
    expect(found('http', [wide], [narrow])).toEqual([
      `${at}http.1 ${problem} matches all its calls first; ${fix}`,
    ]);
    expect(found('http', [narrow], [wide])).toEqual([]);
  });

  test.each<[string, object, object]>([
    ['the same by another name', { uri: { exact: '/a' } }, { uri: { exact: '/a' }, name: 'again' }],
    ['any path', { uri: { prefix: '/' } }, { uri: { regex: '/a.*' } }],
  ])('%s', (_, wide, narrow) => {
    expect(found('http', [wide], [narrow])).toEqual([
      `${at}http.1 is never reached, because spec.http.0 matches all its calls first; ${fix}`,
    ]);
  });

  test.each<[object, object]>([
    [{ uri: { prefix: '/a' } }, { uri: { prefix: '/b' } }],
    [
      { uri: { prefix: '/a' }, ...get },
      { uri: { prefix: '/a' }, method: { exact: 'PUT' } },
    ],
    [{ uri: { prefix: '/a' } }, { uri: { prefix: '/A' }, ignoreUriCase: true }],
    [{ uri: { regex: '/a' } }, { uri: { exact: '/a' } }],
    [{ headers: { a: { prefix: '1' } } }, { headers: { a: { exact: '12' } } }],
    [{ withoutHeaders: { a: {} } }, { headers: { a: {} } }],
  ])('%j and %j are two', (one, two) => {
    expect(found('http', [one], [two])).toEqual([]);
  });

  test('of connections, too', () => {
    const sni = { sniHosts: ['a.example'], port: 443 };
    expect(found('tls', [sni], [sni])).toEqual([
      `${at}tls.1 is never reached, because spec.tls.0 matches all its calls first; ${fix}`,
    ]);
    expect(found('tcp', [{ port: 1 }], [{ port: 1 }, { port: 2 }])).toEqual([
      `${at}tcp.1.match.0 is never reached, because spec.tcp.0.match.0 matches all its calls first; ${fix}`,
    ]);
  });
});

test('a route to one of several ports, and not a word to which', () => {
  const found = withCatalog((into) => {
    const spec = { hosts: [host], http: [{ route: [{ destination: { host } }] }] };
    istio(into, 'VirtualService', 'routes', spec);
  });
  expect(found).toEqual([
    `demo/custom: VirtualService shop/routes: spec.http.0.route.0 leads to ${host}, which has several ports, without naming one; allowed 50051, 8081; fix: set destination.port.number`,
  ]);
});

test('a subset of endpoints at a place without a name', () => {
  const found = problemsWith((into) => {
    const spec = { ports: [{ name: 'grpc', port: 50051 }] };
    into.add('40-services', k8s.KubeService, { name: 'x', namespace: 'shop' }, { spec });
    const labels = { 'topology.kubernetes.io/region': '' };
    istio(into, 'DestinationRule', 'x', { host: 'x', subsets: [{ name: 'here', labels }] });
    const destination = { host: 'x', subset: 'here' };
    istio(into, 'VirtualService', 'x', { hosts: ['x'], http: [{ route: [{ destination }] }] });
  });
  expect(found).toEqual([
    'demo/custom: DestinationRule shop/x: spec.subsets has a subset with labels that no pod in namespace shop has; received "here"; fix: give the pods the labels, or remove it',
  ]);
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
