import { expect, test } from '@jest/globals';
import { deployment, said, service } from '../../testing/own-objects.ts';
import type { Own } from '../../testing/own-objects.ts';

const gateway = (name: string, servers: readonly object[], selector: object = { app: 'own' }): Own => ({
  apiVersion: 'networking.istio.io/v1',
  kind: 'Gateway',
  name,
  body: { spec: { selector, servers } },
});
const server = (host: string, number = 80) => ({
  port: { number, name: `http-${number}`, protocol: 'HTTP' },
  hosts: [host],
});
const secure = (host: string, credentialName: string) => ({
  port: { number: 443, name: 'https', protocol: 'HTTPS' },
  hosts: [host],
  tls: { mode: 'SIMPLE', credentialName },
});
const pods = deployment({}, {}, { labels: { app: 'own', kind: 'inner' } });
const ports = [
  { name: 'http', port: 80, targetPort: 8080 },
  { name: 'https', port: 443, targetPort: 8443 },
];
const open = service({ selector: { app: 'own' }, ports });

test('a port that no Service of the pods leads to', () => {
  expect(said(pods, open, gateway('own', [server('a.example', 8081)]))).toEqual([
    'demo/custom: Gateway shop/own: spec.servers[0].port is not a port of any Service that selects the pods with labels app=own; received 8081; allowed 80, 8080, 443, 8443; fix: add the port to the Service, or correct it',
  ]);
  expect(said(pods, gateway('own', [server('a.example')]))).toEqual([
    'demo/custom: Gateway shop/own: spec.servers[0].port is not a port of any Service that selects the pods with labels app=own; received 80; allowed none, because no Service selects them; fix: add the port to the Service, or correct it',
  ]);
  // Istio takes the port of the Service and that of the pods for one.
  expect(said(pods, open, gateway('own', [server('a.example'), server('b.example', 8080)]))).toEqual([]);
});

test('a Gateway for nobody', () => {
  expect(said(gateway('own', [server('a.example')], { app: 'owm' }))).toEqual([
    'demo/custom: Gateway shop/own: spec.selector selects no pod of any namespace in any cluster; received {"app":"owm"}; fix: give the pods the labels, or remove it; if something else creates the pods, give the reason in the annotation meshwright/accept-pods-of-others',
  ]);
});

test('a host that two Gateways claim of the same pods, by whatever labels they select them', () => {
  const both = [
    gateway('one', [server('a.example')]),
    gateway('two', [server('a.example'), server('b.example')], { kind: 'inner' }),
  ];
  expect(said(pods, open, ...both)).toEqual([
    'demo/custom: Gateway shop/two claims host a.example on port 80 of pods for which Gateway shop/one of demo/custom also claims it; fix: keep one of them',
  ]);
});

test('hosts and certificates of Gateways for different pods are apart', () => {
  const others = { ...deployment({}, {}, { labels: { app: 'own', kind: 'other' } }), name: 'other' };
  const servers = [server('a.example'), secure('b.example', 'wildcard')];
  const apart = [gateway('one', servers, { kind: 'inner' }), gateway('two', servers, { kind: 'other' })];
  expect(said(pods, others, open, ...apart)).toEqual([]);
});

test('a certificate of two Gateways of the same pods', () => {
  const both = [
    gateway('one', [secure('a.example', 'wildcard')]),
    gateway('two', [secure('b.example', 'wildcard')]),
  ];
  expect(said(pods, open, ...both)).toEqual([
    'demo/custom: Gateway shop/two uses the same certificate as Gateway shop/one of demo/custom: clients reuse one HTTP/2 connection for both, on which the hosts of the other Gateway are not found; received "wildcard"; fix: list all hosts of a certificate in one Gateway, or use separate certificates',
  ]);
  const apart = gateway('two', [secure('b.example', 'another')]);
  expect(said(pods, open, gateway('one', [secure('a.example', 'wildcard')]), apart)).toEqual([]);
});

const tls = (host: string, settings: object) => ({
  port: { number: 443, name: 'https', protocol: 'HTTPS' },
  hosts: [host],
  tls: { mode: 'SIMPLE', ...settings },
});
const files = (certificate: string, key: string) => ({
  serverCertificate: `/etc/${certificate}.pem`,
  privateKey: `/etc/${key}.pem`,
});

test('a certificate in files of two Gateways of the same pods', () => {
  const both = [
    gateway('one', [tls('a.example', files('wildcard', 'key'))]),
    gateway('two', [tls('b.example', files('wildcard', 'key'))]),
  ];
  expect(said(pods, open, ...both)).toEqual([
    'demo/custom: Gateway shop/two uses the same certificate as Gateway shop/one of demo/custom: clients reuse one HTTP/2 connection for both, on which the hosts of the other Gateway are not found; received "/etc/wildcard.pem /etc/key.pem"; fix: list all hosts of a certificate in one Gateway, or use separate certificates',
  ]);
});

test.each<[string, object, object]>([
  ['of separate files', files('a', 'a'), files('b', 'b')],
  ['of files, and one of a Secret', files('a', 'a'), { credentialName: 'a' }],
  ['without any, which pass TLS through', { mode: 'PASSTHROUGH' }, { mode: 'PASSTHROUGH' }],
])('certificates %s are apart', (_, one, two) => {
  const both = [gateway('one', [tls('a.example', one)]), gateway('two', [tls('b.example', two)])];
  expect(said(pods, open, ...both)).toEqual([]);
});
