import type { IncomingMessage } from 'node:http';
import { networkOf, peerOf } from '../../../runtime/peer.ts';

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
 * Who makes a request, as a key: the subject of its token; else the network of the address that the first trusted proxy saw;
 * else who the connection is from ({@link peerOf}).
 * Source: envoyproxy.io/docs, HTTP connection manager: "x-forwarded-for".
 */
export function clientOf({ headers, socket }: IncomingMessage, { subject, proxies }: ClientRules): string {
  const named = subject === undefined ? undefined : headers[subject];
  if (typeof named === 'string' && named !== '') return `subject ${named}`;
  const forwarded = headers['x-forwarded-for'];
  if (proxies > 0 && typeof forwarded === 'string') {
    const address = fromEnd(forwarded, proxies);
    if (address !== '') return networkOf(address);
  }
  const certificate = headers['x-forwarded-client-cert'];
  return peerOf(socket.remoteAddress ?? '', typeof certificate === 'string' ? certificate : undefined);
}

/** An entry of a list, counted from its end; empty when it has fewer. */
function fromEnd(list: string, count: number): string {
  let end = list.length;
  for (let left = count; left > 1; left--) {
    end = list.lastIndexOf(',', end - 1);
    if (end < 1) return '';
  }
  return list.slice(list.lastIndexOf(',', end - 1) + 1, end).trim();
}
