import { expect, test } from '@jest/globals';
import { said, service } from '../../testing/own-objects.ts';
import type { Own } from '../../testing/own-objects.ts';

const entry = (name: string, port: object, spec: object = {}): Own => ({
  apiVersion: 'networking.istio.io/v1',
  kind: 'ServiceEntry',
  name,
  body: {
    spec: {
      hosts: ['db.example'],
      ports: [{ number: 5432, name: 'own', ...port }],
      location: 'MESH_EXTERNAL',
      ...spec,
    },
  },
});
const dns = { resolution: 'DNS' };

test('a port of plain TCP at whatever address', () => {
  expect(said(entry('own', { protocol: 'TCP' }))).toEqual([
    'demo/custom: ServiceEntry shop/own: spec.ports[0] allows calls to port 5432 of every address, because neither addresses nor resolution say where the host is; received "TCP"; fix: give its addresses, or resolution: DNS',
  ]);
  for (const spec of [dns, { addresses: ['203.0.113.1'] }]) {
    expect(said(entry('own', { protocol: 'TCP' }, spec))).toEqual([]);
  }
});

test.each(['HTTP', 'HTTP2', 'GRPC', 'GRPC-WEB', 'HTTPS', 'TLS', 'tls'])(
  'a port of %s needs no address: its proxy knows the host that is called',
  (protocol) => {
    expect(said(entry('own', { protocol }))).toEqual([]);
  },
);

test.each([
  ['TCP', { protocol: 'TCP' }],
  ['MONGO', { protocol: 'mongo' }],
  ['MYSQL', { protocol: 'MySQL' }],
])('a port of %s at whatever address, in every way to say so: %j', (received, port) => {
  for (const spec of [{}, { resolution: 'NONE' }, { addresses: [] }]) {
    expect(said(entry('own', port, spec))).toEqual([
      `demo/custom: ServiceEntry shop/own: spec.ports[0] allows calls to port 5432 of every address, because neither addresses nor resolution say where the host is; received "${received}"; fix: give its addresses, or resolution: DNS`,
    ]);
  }
});

test('two protocols for one port of a host, where one namespace sees both', () => {
  const [http, tls] = [
    { number: 8443, protocol: 'HTTP' },
    { number: 8443, protocol: 'TLS' },
  ];
  expect(said(entry('a', http, dns), entry('b', tls, dns), entry('c', tls, dns))).toEqual(
    ['b', 'c'].map(
      (name) =>
        `demo/custom: ServiceEntry shop/${name} gives port 8443 of db.example a different protocol than ServiceEntry shop/a of demo/custom; received "TLS"; allowed HTTP; fix: keep one of them`,
    ),
  );
  const elsewhere = { ...entry('b', tls, { ...dns, exportTo: ['.'] }), namespace: 'istio-ingress' };
  expect(said(entry('a', http, { ...dns, exportTo: ['.'] }), elsewhere)).toEqual([]);
});

const lower = { number: 8443, protocol: 'http' };
const upper = { number: 8443, protocol: 'HTTP' };
const tls = { number: 8443, protocol: 'TLS' };
test.each<[string, Own, Own]>([
  ['one protocol, written otherwise', entry('a', lower, dns), entry('b', upper, dns)],
  ['another port', entry('a', upper, dns), entry('b', { ...tls, number: 443 }, dns)],
  ['another host', entry('a', upper, dns), entry('b', tls, { ...dns, hosts: ['other.example'] })],
])("two ServiceEntries of %s are not in each other's way", (_, one, other) => {
  expect(said(one, other)).toEqual([]);
});

test('a port without a protocol is one of TCP', () => {
  const unknown =
    'demo/custom: ServiceEntry shop/own: Istio would treat port 5432 as TCP, because Istio does not know its protocol; received ""; allowed GRPC, GRPC-WEB, HTTP, HTTP2, HTTPS, HTTP_PROXY, MONGO, MYSQL, REDIS, TCP, TLS';
  expect(said(entry('own', {}))).toEqual([
    unknown,
    'demo/custom: ServiceEntry shop/own: spec.ports[0] allows calls to port 5432 of every address, because neither addresses nor resolution say where the host is; received "TCP"; fix: give its addresses, or resolution: DNS',
  ]);
  expect(said(entry('own', {}, dns), entry('tls', { protocol: 'TLS' }, dns))).toEqual([
    unknown,
    'demo/custom: ServiceEntry shop/tls gives port 5432 of db.example a different protocol than ServiceEntry shop/own of demo/custom; received "TLS"; allowed TCP; fix: keep one of them',
  ]);
  expect(said(entry('own', {}, dns), entry('tcp', { protocol: 'TCP' }, dns))).toEqual([unknown]);
});

test.each<[string, readonly string[], readonly string[]]>([
  ['both to all', ['*'], ['*']],
  ['both to a third namespace', ['istio-system'], ['istio-system']],
  ['one to the namespace of the other', ['istio-ingress'], ['.']],
  ['the other to the namespace of one', ['.'], ['shop']],
])('two ServiceEntries of two namespaces meet where they are exported %s', (_, ofOne, ofOther) => {
  const one = entry('a', upper, { ...dns, exportTo: ofOne });
  const other = { ...entry('b', tls, { ...dns, exportTo: ofOther }), namespace: 'istio-ingress' };
  expect(said(one, other)).toEqual([
    'demo/custom: ServiceEntry shop/a gives port 8443 of db.example a different protocol than ServiceEntry istio-ingress/b of demo/custom; received "HTTP"; allowed TLS; fix: keep one of them',
  ]);
});

test('an alias of a host that nobody declares', () => {
  const alias = (externalName: string) =>
    service({ type: 'ExternalName', externalName, ports: [{ name: 'http', port: 80 }] });
  expect(said(alias('db.example'))).toEqual([
    'demo/custom: Service shop/own: spec.externalName names a host that the mesh does not know, so proxies cannot call it; received "db.example"; fix: declare the host as an ExternalService, and call it by its own name',
  ]);
  expect(said(alias('catalog.shop.svc.cluster.local'))).toEqual([]);
});
