import { Metadata, status } from '@grpc/grpc-js';
import type { Logger } from '../../runtime/log.ts';
import { StatusError, limitKey, statusError } from '../../runtime/status.ts';
import { namesInside, tellsOfTheWay } from './guard/addresses.ts';
import { HttpError } from './http-status.ts';
import type { Route } from './route.ts';
import type { CallStatus, MetadataPairs } from '../transport/types.ts';

const statuses = new Map<number, status>(
  Object.values(status).flatMap((code) => (typeof code === 'number' ? [[code, code] as const] : [])),
);

/** The status of a code; UNKNOWN for one that gRPC does not define. */
export function statusOf(code: number): status {
  return statuses.get(code) ?? status.UNKNOWN;
}

/** What libraries and proxies say by themselves, of the way to a service, and not its handlers alone. */
const ofTheWay: ReadonlySet<status> = new Set([
  status.UNAVAILABLE,
  status.DEADLINE_EXCEEDED,
  status.INTERNAL,
  status.UNKNOWN,
  status.CANCELLED,
]);

/**
 * The error to answer for how a call ended: the service's own words; for those of the way to it, only the code. A service
 * that answers with what it was told of the way to another one says that library's words in its own name, UNAVAILABLE
 * above all: words that name an address inside are never told, whoever says them, and are in the log.
 * Source: google.aip.dev/193, of messages: nothing about the inside of the service.
 */
export function errorOf(ended: CallStatus, header: MetadataPairs, route: Route, log: Logger): StatusError {
  const { message, trailers, from } = ended;
  const code = statusOf(ended.code);
  const isWay = ofTheWay.has(code);
  const isOwn = from === 'peer' && (!isWay || isServed(trailers) || isServed(header));
  const limit = from === 'peer' ? trailers.find(([name]) => name === limitKey)?.[1] : undefined;
  if (code === status.RESOURCE_EXHAUSTED && limit !== undefined) {
    log.warn({ method: route.name, code: status[code] }, message);
    return exhausted(limit === 'answer', message, route);
  }
  const own = isOwn && !(isWay ? tellsOfTheWay(message) : namesInside(message));
  if (own) return new StatusError(code, message, metadataOf(trailers));
  if (code !== status.CANCELLED) log.warn({ method: route.name, code: status[code] }, message);
  if (from === 'transport' && code === status.RESOURCE_EXHAUSTED)
    return exhausted(ended.reason === 'tooLong', message, route);
  return new StatusError(code, `${route.name}: ${status[code]}`, isOwn ? metadataOf(trailers) : undefined);
}

/** Not 429, which tells this client to call less: the service's answer is too long, or it is the service that has too much. */
function exhausted(isTooLong: boolean, message: string, route: Route): HttpError {
  const { RESOURCE_EXHAUSTED } = status;
  if (isTooLong) return new HttpError(500, RESOURCE_EXHAUSTED, `${route.name}: ${message}`);
  return new HttpError(503, RESOURCE_EXHAUSTED, `${route.name}: ${status[RESOURCE_EXHAUSTED]}`, {
    'retry-after': '1',
  });
}

/** A service says who it is; a proxy that answers in its place does not. */
function isServed(metadata: MetadataPairs): boolean {
  return metadata.some(([name]) => name === 'x-served-by');
}

/** The status of whatever went wrong in here; what nobody foresaw is logged, and told as INTERNAL. */
export function knownError(error: unknown, log: Logger): StatusError {
  if (error instanceof StatusError) return error;
  log.error({ err: error }, 'request failed');
  return statusError(status.INTERNAL, 'internal error');
}

/** Source: PROTOCOL-HTTP2.md, ASCII-Value. */
const printable = /^[\x20-\x7e]*$/;

function metadataOf(trailers: CallStatus['trailers']): Metadata {
  const metadata = new Metadata();
  for (const [name, value] of trailers) {
    if (name.endsWith('-bin')) metadata.add(name, Buffer.from(value, 'base64'));
    // HTTP/2 lets more through than gRPC's metadata may hold, for which grpc-js throws.
    else if (printable.test(value)) metadata.add(name, value);
  }
  return metadata;
}
