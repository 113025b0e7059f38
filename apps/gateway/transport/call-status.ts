import { constants } from 'node:http2';
import { status } from '@grpc/grpc-js';
import type { FrameProblem } from './frames.ts';
import type { ReceivedHeaders } from './metadata.ts';
import type { CallStatus } from './types.ts';

/** A status of this transport's own making. */
export function localStatus(code: status, message: string): CallStatus {
  return { code, message, trailers: [], from: 'transport' };
}

/**
 * The status for an HTTP status without `grpc-status`: UNKNOWN for every other one, 200 included.
 * Source: grpc/doc/http-grpc-status-mapping.md.
 */
const fromHttp: Readonly<Record<string, status>> = {
  '400': status.INTERNAL,
  '401': status.UNAUTHENTICATED,
  '403': status.PERMISSION_DENIED,
  '404': status.UNIMPLEMENTED,
  '429': status.UNAVAILABLE,
  '502': status.UNAVAILABLE,
  '503': status.UNAVAILABLE,
  '504': status.UNAVAILABLE,
};

function statusOfHttp(httpStatus: string): status {
  return fromHttp[httpStatus] ?? status.UNKNOWN;
}

/** The status for a stream's error code: INTERNAL for every other one. Source: PROTOCOL-HTTP2.md, Errors. */
const fromReset: Readonly<Record<number, status>> = {
  [constants.NGHTTP2_REFUSED_STREAM]: status.UNAVAILABLE,
  [constants.NGHTTP2_CANCEL]: status.CANCELLED,
  [constants.NGHTTP2_ENHANCE_YOUR_CALM]: status.RESOURCE_EXHAUSTED,
  [constants.NGHTTP2_INADEQUATE_SECURITY]: status.PERMISSION_DENIED,
};

/** By RFC 9113 section 7, from 0 on. */
const resetNames = [
  'NO_ERROR',
  'PROTOCOL_ERROR',
  'INTERNAL_ERROR',
  'FLOW_CONTROL_ERROR',
  'SETTINGS_TIMEOUT',
  'STREAM_CLOSED',
  'FRAME_SIZE_ERROR',
  'REFUSED_STREAM',
  'CANCEL',
  'COMPRESSION_ERROR',
  'CONNECT_ERROR',
  'ENHANCE_YOUR_CALM',
  'INADEQUATE_SECURITY',
  'HTTP_1_1_REQUIRED',
] as const;

export function resetName(code: number): string {
  return resetNames[code] ?? `error code ${code}`;
}

export function statusOfReset(code: number): CallStatus {
  return localStatus(fromReset[code] ?? status.INTERNAL, `the peer reset the stream: ${resetName(code)}`);
}

/** The status in an answer's headers or trailers; undefined when there is none. */
export function peerStatus({ grpcStatus, grpcMessage, metadata }: ReceivedHeaders): CallStatus | undefined {
  if (grpcStatus === undefined) return undefined;
  return { code: codeOf(grpcStatus), message: decodeMessage(grpcMessage), trailers: metadata, from: 'peer' };
}

/** What an answer means that has no `grpc-status`. */
export function notGrpc({ httpStatus, contentType }: ReceivedHeaders): CallStatus {
  if (httpStatus === '') return localStatus(status.UNKNOWN, 'the answer has no grpc-status');
  const type = contentType === undefined ? 'no content-type' : `content-type ${contentType}`;
  return localStatus(statusOfHttp(httpStatus), `the answer is not gRPC: HTTP status ${httpStatus}, ${type}`);
}

export function statusOfProblem(problem: FrameProblem): CallStatus {
  if (problem.kind === 'compressed') {
    return localStatus(status.INTERNAL, 'a message is compressed, although no compression was offered');
  }
  const message = `a message of ${problem.length} bytes was received; allowed at most ${problem.limit}`;
  return { ...localStatus(status.RESOURCE_EXHAUSTED, message), reason: 'tooLong' };
}

/** The code in `grpc-status`: UNKNOWN when gRPC defines none such. */
function codeOf(text: string): number {
  return /^(?:\d|1[0-6])$/.test(text) ? Number(text) : status.UNKNOWN;
}

/**
 * Percent-decodes `grpc-message`. What is no valid encoding stays as it is, for the message must not get lost.
 * Source: PROTOCOL-HTTP2.md, Responses.
 */
function decodeMessage(text: string): string {
  if (!text.includes('%')) return text;
  const bytes = Buffer.from(text, 'latin1');
  let length = 0;
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at] ?? 0;
    const hex = byte === 0x25 ? text.slice(at + 1, at + 3) : '';
    const encoded = /^[0-9a-f]{2}$/i.test(hex);
    bytes[length] = encoded ? Number.parseInt(hex, 16) : byte;
    length += 1;
    if (encoded) at += 2;
  }
  return bytes.toString('utf8', 0, length);
}
