import { Metadata, status } from '@grpc/grpc-js';
import type { Logger } from '../../runtime/log.ts';
import { StatusError, statusError } from '../../runtime/status.ts';
import type { Route } from './route.ts';
import type { CallStatus, MetadataPairs } from '../transport/types.ts';

const statuses = new Map<number, status>(
  Object.values(status).flatMap((code) => (typeof code === 'number' ? [[code, code] as const] : [])),
);

/** The status of a code; UNKNOWN for one that gRPC does not define. */
export function statusOf(code: number): status {
  return statuses.get(code) ?? status.UNKNOWN;
}

/** What may come from the transport below instead of a service: its message names addresses inside the cluster. */
const transport: ReadonlySet<status> = new Set([
  status.UNAVAILABLE,
  status.DEADLINE_EXCEEDED,
  status.INTERNAL,
  status.UNKNOWN,
  status.CANCELLED,
]);

/** The error to answer for how a call ended: the service's own words; for those of the way to it, only the code. */
export function errorOf(ended: CallStatus, header: MetadataPairs, route: Route, log: Logger): StatusError {
  const { message, trailers, from } = ended;
  const code = statusOf(ended.code);
  const own = from === 'peer' && (!transport.has(code) || isServed(trailers) || isServed(header));
  if (own) return new StatusError(code, message, metadataOf(trailers));
  if (code !== status.CANCELLED) log.warn({ method: route.name, code: status[code] }, message);
  return statusError(code, `${route.name}: ${status[code]}`);
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

function metadataOf(trailers: CallStatus['trailers']): Metadata {
  const metadata = new Metadata();
  for (const [name, value] of trailers) {
    metadata.add(name, name.endsWith('-bin') ? Buffer.from(value, 'base64') : value);
  }
  return metadata;
}
