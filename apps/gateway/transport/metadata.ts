import type { MetadataPairs } from './types.ts';

const nameForm = /^[0-9a-z_.-]+$/;
const asciiForm = /^[\x20-\x7e]*$/;
const base64Form = /^[0-9a-z+/]*={0,2}$/i;

/** Not for metadata: HTTP/2's own (RFC 9113 section 8.2.2), and gRPC's. Names that begin with `grpc-` come on top. */
const reserved: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'content-type',
  'host',
  'keep-alive',
  'proxy-connection',
  'te',
  'transfer-encoding',
  'upgrade',
  'user-agent',
]);

/** What is wrong with a call's metadata; undefined when it can be sent. Values are left out, they may be secrets. */
export function metadataProblem(metadata: MetadataPairs): string | undefined {
  for (const [name, value] of metadata) {
    if (!nameForm.test(name)) {
      return `metadata: the name ${JSON.stringify(name)} is not allowed; allowed: 0-9 a-z _ - .`;
    }
    if (reserved.has(name) || name.startsWith('grpc-')) {
      return `metadata: the name "${name}" is reserved by gRPC or HTTP/2`;
    }
    if (!name.endsWith('-bin')) {
      if (!asciiForm.test(value)) {
        return `metadata: the value of "${name}" is not allowed; allowed: printable ASCII`;
      }
    } else if (!base64Form.test(value)) {
      return `metadata: the value of "${name}" is not allowed; allowed: base64`;
    }
  }
  return undefined;
}

export interface ReceivedHeaders {
  /** `:status`; empty in trailers. */
  readonly httpStatus: string;
  readonly contentType: string | undefined;
  readonly encoding: string | undefined;
  readonly grpcStatus: string | undefined;
  readonly grpcMessage: string;
  readonly metadata: MetadataPairs;
}

/**
 * Sorts headers as node:http2 gives them, name after value after name: what the protocol itself uses, and the metadata.
 * `grpc-status-details-bin` is metadata. Binary values that were joined by commas become pairs of their own. What HTTP/2
 * allows and gRPC does not (a tab, letters beyond ASCII) is thrown away, as PROTOCOL-HTTP2.md lets libraries do: nothing
 * behind this one, be it a Metadata or a header of HTTP/1.1, has to take it.
 */
export function readHeaders(raw: readonly string[]): ReceivedHeaders {
  let httpStatus = '';
  let contentType: string | undefined;
  let encoding: string | undefined;
  let grpcStatus: string | undefined;
  let grpcMessage = '';
  const metadata: (readonly [string, string])[] = [];
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = raw[at] ?? '';
    const value = raw[at + 1] ?? '';
    switch (name) {
      case ':status':
        httpStatus = value;
        break;
      case 'content-type':
        contentType = value;
        break;
      case 'grpc-encoding':
        encoding = value;
        break;
      case 'grpc-status':
        grpcStatus = value;
        break;
      case 'grpc-message':
        grpcMessage = value;
        break;
      case 'grpc-accept-encoding':
        break;
      default:
        if (!asciiForm.test(value) || !nameForm.test(name)) break;
        if (!name.endsWith('-bin') || !value.includes(',')) metadata.push([name, value]);
        else for (const part of value.split(',')) metadata.push([name, part.trim()]);
    }
  }
  return { httpStatus, contentType, encoding, grpcStatus, grpcMessage, metadata };
}

/** Whether a content type is gRPC's: `application/grpc`, with or without `+format` or parameters. */
export function isGrpc(contentType: string | undefined): boolean {
  return contentType !== undefined && /^application\/grpc(?:$|[+;])/i.test(contentType);
}
