import type { IncomingMessage } from 'node:http';
import { status } from '@grpc/grpc-js';
import { HttpError } from '../http-status.ts';

/** Where the next request starts may not be what a proxy before this server thinks. */
const close = { connection: 'close' };

/**
 * What is wrong with a request that Node's parser lets pass, and HTTP does not.
 * Source: RFC 9112, sections 3.2 and 6.1; RFC 9110, section 10.1.1.
 */
export function unsound(request: IncomingMessage): HttpError | undefined {
  const { headers, httpVersion } = request;
  const old = httpVersion === '1.0';
  const hosts = hostsOf(request);
  if (hosts.length > 1) return malformed('host: given more than once');
  const [host] = hosts;
  if (host === undefined ? !old : !soundHost.test(host)) {
    return malformed(host === undefined ? 'host: missing' : 'host: not the name or address of a host');
  }
  const coding = headers['transfer-encoding'];
  if (coding !== undefined && old) return malformed('transfer-encoding: not allowed in HTTP/1.0');
  if (coding !== undefined && coding.toLowerCase() !== 'chunked') {
    const message = `transfer-encoding: ${JSON.stringify(coding)} received; allowed chunked`;
    return new HttpError(501, status.UNIMPLEMENTED, message, close);
  }
  const { expect } = headers;
  if (expect !== undefined && !old && expect.toLowerCase() !== '100-continue') {
    const message = `expect: ${JSON.stringify(expect)} received; allowed 100-continue`;
    return new HttpError(417, status.INVALID_ARGUMENT, message, close);
  }
  return undefined;
}

/** Empty is allowed: it is the host of a target that has none. Source: RFC 3986, section 3.2.2 and 3.2.3. */
const soundHost = /^(?:\[[\d.:A-Fa-f]+\]|[\w.~!$&'()*+;=%-]*)(?::\d*)?$/;

function malformed(message: string): HttpError {
  return new HttpError(400, status.INVALID_ARGUMENT, message, close);
}

/** Two might be read by one server as the one, by another as the other: Node itself takes the first. */
function hostsOf({ rawHeaders }: IncomingMessage): string[] {
  const hosts: string[] = [];
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at];
    if (name?.length === 4 && name.toLowerCase() === 'host') hosts.push(rawHeaders[at + 1] ?? '');
  }
  return hosts;
}
