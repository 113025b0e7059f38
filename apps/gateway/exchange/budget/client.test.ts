import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { expect, test } from '@jest/globals';
import { clientOf } from './client.ts';

function from(remoteAddress: string, headers: Record<string, string>): IncomingMessage {
  const socket = Object.defineProperty(new Socket(), 'remoteAddress', { value: remoteAddress });
  return Object.assign(new IncomingMessage(socket), { headers });
}

const sidecar = '127.0.0.6';
const cert =
  'By=spiffe://a/gateway;URI=spiffe://a/forged,By=spiffe://a/gateway;Hash=1;Subject="";URI=spiffe://a/ns/shop/sa/web';

test.each<[string, string, Record<string, string>, number, string]>([
  ['a peer', '10.1.2.3', {}, 0, '10.1.2.3'],
  ['a peer that forges its address', '10.1.2.3', { 'x-forwarded-for': '1.1.1.1' }, 0, '10.1.2.3'],
  ['behind the ingress', sidecar, { 'x-forwarded-for': '1.1.1.1, 203.0.113.9' }, 1, '203.0.113.9'],
  ['behind another proxy', sidecar, { 'x-forwarded-for': '1.1.1.1,203.0.113.9, 10.0.0.1' }, 2, '203.0.113.9'],
  ['around that proxy', sidecar, { 'x-forwarded-for': '203.0.113.9' }, 2, sidecar],
  ['by its token', sidecar, { 'x-user': 'ada', 'x-forwarded-for': '1.1.1.1' }, 1, 'subject ada'],
  ['in the mesh', sidecar, { 'x-forwarded-client-cert': cert }, 0, 'spiffe://a/ns/shop/sa/web'],
  [
    'outside, with a certificate of its own making',
    '10.1.2.3',
    { 'x-forwarded-client-cert': cert },
    0,
    '10.1.2.3',
  ],
  ['an IPv6 peer, by its network', '2001:db8:0:1::7', {}, 0, '2001:db8:0:1::/64'],
  ['the same, written otherwise', '2001:0DB8:0000:0001:ffff:ffff:ffff:fffe', {}, 0, '2001:db8:0:1::/64'],
  ['one of another network', sidecar, { 'x-forwarded-for': '2001:db8::1:0:0:0:1' }, 1, '2001:db8:0:1::/64'],
  ['an address with a zone', 'fe80::1%eth0', {}, 0, 'fe80:0:0:0::/64'],
  ['an IPv4 address translated by a NAT64', '64:ff9b::192.0.2.33', {}, 0, '192.0.2.33'],
  ['the same in hexadecimal', '64:FF9B::c000:221', {}, 0, '192.0.2.33'],
  ['an address beside the prefix of NAT64', '64:ff9b:1::c000:221', {}, 0, '64:ff9b:1:0::/64'],
  ['an IPv4 peer of a socket for both', '::ffff:10.1.2.3', {}, 0, '10.1.2.3'],
  ['the same in hexadecimal', sidecar, { 'x-forwarded-for': '::ffff:a01:203' }, 1, '10.1.2.3'],
  ['the same with all its zeros', sidecar, { 'x-forwarded-for': '0:0:0:0:0:FFFF:0a01:0203' }, 1, '10.1.2.3'],
  ['an address that ends like one of IPv4', '2001:db8:0:1::10.1.2.3', {}, 0, '2001:db8:0:1::/64'],
  ['what a proxy has written that is no address', sidecar, { 'x-forwarded-for': 'unknown' }, 1, 'unknown'],
])('A4: one client is %s', (_, peer, headers, proxies, client) => {
  expect(clientOf(from(peer, headers), { subject: 'x-user', proxies })).toBe(client);
});
