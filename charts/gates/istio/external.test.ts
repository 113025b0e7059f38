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
  // By its name, whatever its address.
  expect(said(entry('own', { protocol: 'TLS' }))).toEqual([]);
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

test('an alias of a host that nobody declares', () => {
  const alias = (externalName: string) =>
    service({ type: 'ExternalName', externalName, ports: [{ name: 'http', port: 80 }] });
  expect(said(alias('db.example'))).toEqual([
    'demo/custom: Service shop/own: spec.externalName names a host that the mesh does not know, so proxies cannot call it; received "db.example"; fix: declare the host as an ExternalService, and call it by its own name',
  ]);
  expect(said(alias('catalog.shop.svc.cluster.local'))).toEqual([]);
});
