import { isIPv4, isIPv6 } from 'node:net';

/**
 * Who a connection is from, as a key: the workload that the sidecar beside this process (a peer on the loopback) names in
 * `X-Forwarded-Client-Cert`, whose last entry it adds itself; else the network of the peer's address.
 * Source: envoyproxy.io/docs, HTTP connection manager: "x-forwarded-client-cert".
 */
export function peerOf(remoteAddress: string, certificate: string | undefined): string {
  if (certificate !== undefined && loopback.test(remoteAddress)) {
    const workload = /;?URI=([^;,]+)/i.exec(certificate.slice(certificate.lastIndexOf(',') + 1))?.[1];
    if (workload !== undefined) return workload;
  }
  return networkOf(remoteAddress);
}

const loopback = /^(?:::ffff:)?127\.|^::1$/;

/**
 * The network of one subscriber: of an IPv6 address its first 64 bits, as any of the 2^64 addresses beyond may be its own
 * (RFC 6177; RFC 4291, section 2.5.4); an IPv4 address is a network by itself, in its forms for IPv6 too: mapped (::ffff:0:0/96,
 * RFC 4291, section 2.5.5.2) and translated (64:ff9b::/96, RFC 6052). What is no address stays as it is.
 */
export function networkOf(address: string): string {
  // Nearly all are of these forms, and are told by a look.
  if (!address.includes(':')) return address;
  if (address.startsWith(mapped)) {
    const short = address.slice(mapped.length);
    if (isIPv4(short)) return short;
  }
  if (!isIPv6(address)) return address;
  const groups = groupsOf(address);
  if (embedsIPv4.has(groups.slice(0, 6).join(':')))
    return groups
      .slice(6)
      .flatMap((group) => [group >> 8, group & 0xff])
      .join('.');
  const network = groups.slice(0, 4).map((group) => group.toString(16));
  return `${network.join(':')}::/64`;
}

/** How node writes an IPv4 address that came to a socket for both. */
const mapped = '::ffff:';

/** The first six groups, as numbers, of addresses whose last two are an IPv4 address. */
const embedsIPv4 = new Set([[0, 0, 0, 0, 0, 0xffff].join(':'), [0x64, 0xff9b, 0, 0, 0, 0].join(':')]);

/** The eight groups of an IPv6 address, however it is written (RFC 4291, section 2.2), without its zone. */
function groupsOf(address: string): readonly number[] {
  const partsOf = (half: string) =>
    half
      .split(':')
      .filter((part) => part !== '')
      .flatMap((part) => (part.includes('.') ? groupsOfIPv4(part) : [Number.parseInt(part, 16)]));
  const [before = '', after = ''] = (address.split('%')[0] ?? '').split('::');
  const [head, tail] = [partsOf(before), partsOf(after)];
  return [...head, ...Array.from({ length: 8 - head.length - tail.length }, () => 0), ...tail];
}

function groupsOfIPv4(address: string): readonly number[] {
  const [a = 0, b = 0, c = 0, d = 0] = address.split('.').map(Number);
  return [a * 256 + b, c * 256 + d];
}
