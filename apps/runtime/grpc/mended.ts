import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { Metadata, Server, status } from '@grpc/grpc-js';
import type { StatusObject } from '@grpc/grpc-js';
import serverInterceptors from '@grpc/grpc-js/build/src/server-interceptors.js';
import streamDecoder from '@grpc/grpc-js/build/src/stream-decoder.js';
import { MessageDecoder } from './decoder.ts';
import './mended-client.ts';

/**
 * What grpc-js 1.14.7 does otherwise than gRPC's protocol has it, put right in the library as it is loaded. Its parts are
 * private, so the version is pinned; the tests of cut streams and the conformance suite fail with a version whose parts are
 * others.
 */

// It takes a stream that ends within a message for one that ended before it, in servers (server/adapter.ts looks at the end of
// requests) and in clients (mended-client.ts), which loses data without a word.
(streamDecoder as { StreamDecoder: unknown }).StreamDecoder = MessageDecoder;

/** What is used of a call of a server, which is private in grpc-js. */
interface ServerCall {
  readonly incomingEncoding: string;
  sendStatus: (this: ServerCall, status: StatusObject) => void;
  decompressMessage: (this: ServerCall, message: Buffer, encoding: string) => Buffer | Promise<Buffer>;
}

const served = serverInterceptors.BaseServerInterceptingCall.prototype as unknown as ServerCall;
const { sendStatus, decompressMessage } = served;

// A call that is OK has no message (PROTOCOL-HTTP2.md, Status-Message).
served.sendStatus = function (sent) {
  sendStatus.call(this, sent.code === status.OK ? { ...sent, details: '' } : sent);
};

// A stream of another encoding is UNIMPLEMENTED (compression.md), also when a message of it is not compressed. One that is
// marked as compressed, on a stream that is not, is INTERNAL; it would be taken as it is.
const encodings: ReadonlySet<string> = new Set(['identity', 'gzip', 'deflate']);
served.decompressMessage = function (message, encoding) {
  const { incomingEncoding } = this;
  if (!encodings.has(incomingEncoding)) return decompressMessage.call(this, message, incomingEncoding);
  if (message[0] === 0 || encoding !== 'identity') return decompressMessage.call(this, message, encoding);
  const details = 'a message is compressed, but grpc-encoding names no compression';
  // grpc-js sends what is thrown as a status.
  return Promise.reject(
    Object.assign(new Error(details), { code: status.INTERNAL, details, metadata: null }),
  );
};

/** What is used of a server, which is private in grpc-js. */
interface Verifying {
  _verifyContentType: (this: Verifying, stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => boolean;
}

// A request is a POST of protobuf (PROTOCOL-HTTP2.md, Requests); others would be taken for one.
const servers = Server.prototype as unknown as Verifying;
servers._verifyContentType = function (stream, headers) {
  const isPost = headers[':method'] === 'POST';
  if (isPost && /^application\/grpc(?:\+proto)?(?:$|;)/i.test(headers['content-type'] ?? '')) return true;
  stream.respond(isPost ? { ':status': 415 } : { ':status': 405, allow: 'POST' }, { endStream: true });
  return false;
};

// Binary values are sent without padding (PROTOCOL-HTTP2.md, Binary-Header).
const metadata = Metadata.prototype as { toHttp2Headers: (this: Metadata) => Record<string, unknown> };
const { toHttp2Headers } = metadata;
metadata.toHttp2Headers = function () {
  const headers = toHttp2Headers.call(this);
  for (const name in headers) {
    if (!name.endsWith('-bin')) continue;
    const value = headers[name];
    headers[name] = Array.isArray(value) ? value.map(unpadded) : unpadded(value);
  }
  return headers;
};

function unpadded(value: unknown): string {
  return String(value).replace(/=+$/, '');
}
