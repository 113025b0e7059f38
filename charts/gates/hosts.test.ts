import { expect, test } from '@jest/globals';
import { istio, problemsWith } from '../testing/custom.ts';
import { catalogIn } from '../testing/mesh.ts';
import { objectOf, renderedOf } from '../testing/rendered.ts';
import {
  covers,
  destinationsOf,
  hostFor,
  hostsOf,
  inSidecars,
  nearestHost,
  qualified,
  unknownHosts,
} from './hosts.ts';

const allowed = 'allowed the host of a Service or ServiceEntry of the mesh';

test('a name in traffic policy that resolves in no cluster is refused, with the nearest one', () => {
  const found = problemsWith(
    (into) => {
      istio(into, 'DestinationRule', 'typo', { host: 'catalgo.shop.svc.cluster.local' });
      istio(into, 'VirtualService', 'routes', {
        hosts: ['nowhere'],
        http: [
          {
            route: [{ destination: { host: 'catalog', port: { number: 50051 } } }],
            mirror: { host: 'elsewhere.example' },
          },
        ],
      });
      istio(into, 'Gateway', 'inner', {
        selector: { istio: 'ingressgateway' },
        servers: [{ port: { number: 80, name: 'http', protocol: 'HTTP' }, hosts: ['*.shop.local'] }],
      });
      istio(into, 'Sidecar', 'egress', {
        egress: [{ hosts: ['shop/stock.shop.svc.cluster.local', 'goods/*'] }],
      });
    },
    (_, namespace) => catalogIn(namespace),
  );
  expect(found).toEqual([
    `demo/custom: DestinationRule shop/typo: spec.host resolves in no cluster; received "catalgo.shop.svc.cluster.local"; ${allowed}; fix: did you mean catalog.shop.svc.cluster.local?`,
    `demo/custom: VirtualService shop/routes: spec.http.0.mirror resolves in no cluster; received "elsewhere.example"; ${allowed}`,
    `demo/custom: VirtualService shop/routes: spec.hosts.0 resolves in no cluster; received "nowhere"; ${allowed}`,
    `demo/custom: Gateway shop/inner: spec.servers.0.hosts resolves in no cluster; received "*.shop.local"; ${allowed}`,
    `demo/custom: Sidecar shop/egress: spec.egress.0.hosts resolves in no cluster; received "stock.shop.svc.cluster.local"; ${allowed}`,
    'demo/custom: Sidecar shop/egress: spec.egress.0.hosts names a namespace that no cluster has; received "goods/*"',
  ]);
});

test('a host outside the mesh is known by its ServiceEntry, a wildcard included', () => {
  const found = problemsWith((into) => {
    const type = { apiVersion: 'networking.istio.io/v1', kind: 'ServiceEntry' };
    const ports = [{ number: 443, name: 'tls', protocol: 'TLS' }];
    into.addCustom(
      '40-services',
      type,
      { name: 'pay', namespace: 'shop' },
      {
        spec: { hosts: ['*.pay.example'], ports, resolution: 'NONE', location: 'MESH_EXTERNAL' },
      },
    );
    istio(into, 'DestinationRule', 'pay', { host: 'api.pay.example' });
  });
  expect(found).toEqual([]);
});

test.each([
  ['*', 'a.example', true],
  ['*.example', 'a.example', true],
  ['*.example', 'example', false],
  ['a.example', 'a.example', true],
  ['a.example', 'b.example', false],
])('%s covers %s: %s', (pattern, name, expected) => {
  expect(covers(pattern, name)).toBe(expected);
});

const service = (name: string, port = 80) => objectOf('v1', 'Service', { ports: [{ port }] }, { name });
const entry = (...hosts: string[]) =>
  objectOf('networking.istio.io/v1', 'ServiceEntry', { hosts, ports: [{ number: 443 }, {}] });
const own = (kind: string, spec: object) => objectOf('networking.istio.io/v1', kind, spec);
const base = [
  objectOf('v1', 'Namespace', undefined, { name: 'shop', namespace: undefined }),
  service('catalog'),
  entry('*.bank.example', 'till.example'),
];

test('the hosts of all clusters, with their ports', () => {
  const { clusters } = renderedOf([service('catalog', 50051)], [service('stock'), entry('till.example')]);
  expect([...hostsOf(clusters)]).toEqual([
    ['catalog.shop.svc.cluster.local', [50051]],
    ['stock.shop.svc.cluster.local', [80]],
    ['till.example', [443]],
  ]);
});

test('a name is that of a host, or lies in a wildcard, the nearest one', () => {
  const hosts = new Map(['a.b.example', '*.b.example', '*.example'].map((name) => [name, [80]]));
  const names = ['a.b.example', 'c.b.example', 'd.c.b.example', 'b.example', 'example', 'x.other'];
  expect(names.map((name) => hostFor(hosts, name))).toEqual([
    'a.b.example',
    '*.b.example',
    '*.b.example',
    '*.example',
    undefined,
    undefined,
  ]);
});

test('a name without a dot is a Service of its namespace', () => {
  expect(['catalog', 'catalog.shop', '*', '*.local'].map((name) => qualified(name, 'shop'))).toEqual([
    'catalog.shop.svc.cluster.local',
    'catalog.shop',
    '*',
    '*.local',
  ]);
});

test('the suffix that all names share makes none of them near', () => {
  const hosts = ['catalog.shop.svc.cluster.local', 'till.example'];
  expect(nearestHost('catalgo.shop.svc.cluster.local', hosts)).toBe('catalog.shop.svc.cluster.local');
  expect(nearestHost('x.y.svc.cluster.local', hosts)).toBeUndefined();
  expect(nearestHost('tall.example', hosts)).toBe('till.example');
});

test('a VirtualService is for sidecars by default, and beside gateways by the word mesh', () => {
  expect(
    [{}, { gateways: [] }, { gateways: ['mesh'] }, { gateways: ['a', 'mesh'] }].map((spec) =>
      inSidecars({ spec }),
    ),
  ).toEqual([true, true, true, true]);
  expect(inSidecars({ spec: { gateways: ['a'] } })).toBe(false);
});

test('every destination of a route and of its mirrors, by its path', () => {
  const to = (host: string) => ({ destination: { host, subset: 'v1', port: { number: 1 } } });
  const spec = {
    http: [{}, { route: [to('a'), {}], mirrors: [to('b')], mirror: { host: 'c' } }],
    tls: [{ route: [to('d')] }],
    tcp: [{ route: [to('e')] }],
  };
  const whole = { subset: 'v1', port: 1 };
  const bare = { subset: undefined, port: undefined };
  expect(destinationsOf({ spec })).toEqual([
    { path: 'spec.http.1.route.0', host: 'a', ...whole },
    { path: 'spec.http.1.route.1', host: '', ...bare },
    { path: 'spec.http.1.mirrors.0', host: 'b', ...whole },
    { path: 'spec.http.1.mirror', host: 'c', ...bare },
    { path: 'spec.tls.0.route.0', host: 'd', ...whole },
    { path: 'spec.tcp.0.route.0', host: 'e', ...whole },
  ]);
});

test.each([
  own('DestinationRule', { host: 'catalog' }),
  own('DestinationRule', { host: '*' }),
  own('DestinationRule', { host: '*.local' }),
  own('DestinationRule', { host: '*.svc.cluster.local' }),
  own('DestinationRule', { host: 'one.bank.example' }),
  own('VirtualService', { hosts: ['nowhere.example'], gateways: ['edge'] }),
  own('Gateway', { servers: [{ hosts: ['nowhere.example', 'shop/*.svc.cluster.local'] }] }),
  own('Sidecar', { egress: [{ hosts: ['shop/catalog.shop.svc.cluster.local', './*', '*/*', '~/*'] }] }),
])('%j refers to what there is', (object) => {
  expect(unknownHosts(renderedOf([...base, object]))).toEqual([]);
  // Primaries discover each other's Services.
  expect(unknownHosts(renderedOf([object, base[0]!], base))).toEqual([]);
});

test.each([
  [own('DestinationRule', { host: '*.cluster.locals' }), 'spec.host', '*.cluster.locals'],
  [own('DestinationRule', { host: 'ledger.other' }), 'spec.host', 'ledger.other'],
  [own('VirtualService', { hosts: ['x.y', 'catalog'] }), 'spec.hosts.0', 'x.y'],
  [
    own('VirtualService', { hosts: [], tcp: [{ route: [{ destination: { host: 'x.y' } }] }] }),
    'spec.tcp.0.route.0',
    'x.y',
  ],
  [own('Gateway', { servers: [{}, { hosts: ['shop/x.y.local'] }] }), 'spec.servers.1.hosts', 'x.y.local'],
  [own('Sidecar', { egress: [{ hosts: ['*/x.y'] }] }), 'spec.egress.0.hosts', 'x.y'],
  [own('Sidecar', { egress: [{ hosts: ['shop/x.y'] }] }), 'spec.egress.0.hosts', 'x.y'],
])('%j refers to nothing', (object, path, received) => {
  expect(unknownHosts(renderedOf([...base, object]))).toEqual([
    {
      where: 'own',
      what: `${object.kind} shop/one: ${path} resolves in no cluster`,
      received,
      allowed: 'the host of a Service or ServiceEntry of the mesh',
    },
  ]);
});

test('a Sidecar names namespaces that there are', () => {
  const sidecar = own('Sidecar', { egress: [{ hosts: ['./*', 'goods/*'] }] });
  expect(unknownHosts(renderedOf([...base, sidecar]))).toEqual([
    {
      where: 'own',
      what: 'Sidecar shop/one: spec.egress.0.hosts names a namespace that no cluster has',
      received: 'goods/*',
    },
  ]);
});
