import type { IncomingMessage } from 'node:http';
import { isIPv6 } from 'node:net';

/** Who vouches for who calls. */
export interface ClientRules {
  /** Header that holds the subject of the client's token, set by the proxy that has looked at it. Lower case. */
  readonly subject: string | undefined;
  /**
   * How many proxies before this process are trusted to add to `X-Forwarded-For` whom they got the request from; 0 when it
   * is the client's own to write.
   */
  readonly proxies: number;
}

/**
 * Who makes a request, as a key: the subject of its token; else the address that the first trusted proxy saw; else the
 * workload that the sidecar beside this process (a peer on the loopback) names in `X-Forwarded-Client-Cert`, whose last
 * entry it adds itself; else the address of the peer.
 * Source: envoyproxy.io/docs, HTTP connection manager: "x-forwarded-for", "x-forwarded-client-cert".
 */
export function clientOf({ headers, socket }: IncomingMessage, { subject, proxies }: ClientRules): string {
  const named = subject === undefined ? undefined : headers[subject];
  if (typeof named === 'string' && named !== '') return `subject ${named}`;
  const forwarded = headers['x-forwarded-for'];
  if (proxies > 0 && typeof forwarded === 'string') {
    const address = fromEnd(forwarded, proxies);
    if (address !== '') return networkOf(address);
  }
  const { remoteAddress = '' } = socket;
  const cert = headers['x-forwarded-client-cert'];
  if (typeof cert === 'string' && loopback.test(remoteAddress)) {
    const workload = /;?URI=([^;,]+)/i.exec(cert.slice(cert.lastIndexOf(',') + 1))?.[1];
    if (workload !== undefined) return workload;
  }
  return networkOf(remoteAddress);
}

/**
 * The network of one subscriber: of an IPv6 address its first 64 bits, as any of the 2^64 addresses beyond may be its own
 * (RFC 6177; RFC 4291, section 2.5.4); an IPv4 address is a network by itself. What is no address stays as it is.
 */
function networkOf(address: string): string {
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

const loopback = /^(?:::ffff:)?127\.|^::1$/;

/** An entry of a list, counted from its end; empty when it has fewer. */
function fromEnd(list: string, count: number): string {
  let end = list.length;
  for (let left = count; left > 1; left--) {
    end = list.lastIndexOf(',', end - 1);
    if (end < 1) return '';
  }
  return list.slice(list.lastIndexOf(',', end - 1) + 1, end).trim();
}
