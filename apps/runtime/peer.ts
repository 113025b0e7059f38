import { isIPv6 } from 'node:net';

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
 * (RFC 6177; RFC 4291, section 2.5.4); an IPv4 address is a network by itself. What is no address stays as it is.
 */
export function networkOf(address: string): string {
  if (!isIPv6(address)) return address;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  const groupsOf = (part: string) => part.split(':').filter((group) => group !== '');
  const [before = '', after = ''] = (address.split('%')[0] ?? '').split('::');
  const [head, tail] = [groupsOf(before), groupsOf(after)];
  // An IPv4 address at the end stands for two groups.
  const given = head.length + tail.length + (tail.at(-1)?.includes('.') ? 1 : 0);
  const groups = [...head, ...Array.from({ length: Math.max(0, 8 - given) }, () => '0'), ...tail];
  const network = groups.slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16));
  return `${network.join(':')}::/64`;
}
