import type { IncomingMessage } from 'node:http';
import { status } from '@grpc/grpc-js';
import { traceKeys } from '../../runtime/client.ts';
import { statusError } from '../../runtime/status.ts';
import type { MetadataPairs } from '../transport/types.ts';

/** Headers that go in as metadata under their own name; every other one stays outside. */
const inbound = ['authorization', ...traceKeys] as const;

/** Metadata that goes out as headers under its own name. */
const outbound: ReadonlySet<string> = new Set(['x-served-by', 'x-inventory-served-by']);

const prefix = 'grpc-metadata-';

/** What crosses between HTTP and gRPC beside the messages. */
export interface HeaderRules {
  /** Headers that go in as well: what the proxy before this one found in the client's token. Lower case. */
  readonly claims: readonly string[];
  /** Metadata that a client may not set, beside the claims: what other ways to the services vouch for. @default - none */
  readonly refused?: readonly string[];
  /** Metadata of answers that goes out, as `grpc-metadata-NAME` or `grpc-trailer-NAME`. Lower case. */
  readonly answers: readonly string[];
}

/** Metadata rules made ready for many requests. */
export class Crossing {
  readonly #inbound: readonly string[];
  readonly #own: ReadonlySet<string>;
  readonly #answers: ReadonlySet<string>;

  constructor(rules: HeaderRules) {
    this.#inbound = [...inbound, ...rules.claims];
    this.#own = new Set([...this.#inbound, ...(rules.refused ?? [])]);
    this.#answers = new Set(rules.answers);
  }

  /**
   * A request's metadata: the headers of the allow list, and those with `grpc-metadata-` before the name. Values that
   * are no printable ASCII, which gRPC cannot carry, are left out.
   * @throws StatusError INVALID_ARGUMENT for a name that is not the client's to set, or a `-bin` value that is no base64
   */
  metadataOf({ headers }: IncomingMessage): MetadataPairs {
    const pairs: (readonly [string, string])[] = [];
    for (const name of this.#inbound) {
      const value = headers[name];
      if (typeof value === 'string' && printable.test(value)) pairs.push([name, value]);
    }
    for (const header in headers) {
      if (!header.startsWith(prefix)) continue;
      const value = headers[header];
      if (typeof value === 'string') pairs.push(...this.#given(header, value));
    }
    return pairs;
  }

  #given(header: string, value: string): (readonly [string, string])[] {
    const name = header.slice(prefix.length);
    if (this.#own.has(name) || reserved.test(name) || !/^[a-z0-9_.-]+$/.test(name)) {
      throw invalid(`${header}: ${JSON.stringify(name)} is not metadata that a client may set`);
    }
    if (!printable.test(value)) throw invalid(`${header}: not printable ASCII`);
    if (!name.endsWith('-bin')) return [[name, value]];
    // Several values of one name come in one header.
    return value.split(',').map((part) => {
      const one = part.trim();
      if (!base64.test(one)) throw invalid(`${header}: not base64`);
      return [name, one] as const;
    });
  }

  /** The response's headers for an answer's metadata. */
  headersOf(metadata: MetadataPairs): Record<string, string> {
    const headers: Record<string, string> = {};
    for (const [name, value] of metadata) {
      const header = outbound.has(name) ? name : this.#answers.has(name) ? prefix + name : undefined;
      // A service may say what HTTP/1.1 has no place for.
      if (header === undefined || !soundValue.test(value)) continue;
      headers[header] = headers[header] === undefined ? value : `${headers[header]}, ${value}`;
    }
    return headers;
  }

  /** The response's trailer fields for an answer's trailing metadata. */
  trailersOf(metadata: MetadataPairs): [string, string][] {
    return metadata
      .filter(([name, value]) => this.#answers.has(name) && soundValue.test(value))
      .map(([name, value]) => [`grpc-trailer-${name}`, value]);
  }
}

/** Whether the client reads trailer fields (RFC 9110, section 6.5.1). */
export function takesTrailers({ headers }: IncomingMessage): boolean {
  const { te } = headers;
  return typeof te === 'string' && /(?:^|,)\s*trailers\s*(?:,|$)/i.test(te);
}

/** Source: RFC 9110, section 5.5. */
const soundValue = /^[\t\x20-\x7e\x80-\xff]*$/;
const printable = /^[\x20-\x7e]*$/;
const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}(?:==)?|[A-Za-z0-9+/]{3}=?)?$/;

/**
 * gRPC's own names, those of HTTP, and those by which proxies tell each other things: an Envoy inside the mesh would
 * follow `x-envoy-upstream-rq-timeout-ms`, and a service believe `x-forwarded-client-cert`.
 */
const reserved =
  /^(?:grpc-|x-envoy-|x-forwarded-|x-istio-|proxy-|content-|accept|(?:host|te|trailer|connection|keep-alive|transfer-encoding|upgrade|expect|cookie|user-agent|via|forwarded|date)$)/;

function invalid(message: string) {
  return statusError(status.INVALID_ARGUMENT, message);
}
