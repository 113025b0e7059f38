import type { IncomingHttpHeaders } from 'node:http';
import { Metadata } from '@grpc/grpc-js';
import { traceKeys } from '../runtime/client.ts';

/** Headers that go in as metadata; every other one stays outside. */
const inbound = ['authorization', ...traceKeys] as const;

/** Metadata that goes out as headers. */
const outbound = ['x-served-by', 'x-inventory-served-by'] as const;

/**
 * The request's metadata. Values that are no printable ASCII, which gRPC cannot carry, are left out.
 * @param claims - headers that go in as well: what the proxy before this one found in the client's token
 */
export function metadataOf(headers: IncomingHttpHeaders, claims: readonly string[]): Metadata {
  const metadata = new Metadata();
  for (const name of [...inbound, ...claims]) {
    const value = headers[name];
    if (typeof value === 'string' && /^[\x20-\x7e]*$/.test(value)) metadata.set(name, value);
  }
  return metadata;
}

/** The response's headers. */
export function headersOf(metadata: Metadata): Record<string, string> {
  return Object.fromEntries(
    outbound.flatMap((name) => {
      const values = metadata.get(name);
      return values.length === 0 ? [] : [[name, values.join(', ')]];
    }),
  );
}
