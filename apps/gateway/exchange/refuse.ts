import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { status } from '@grpc/grpc-js';
import { HttpError, statusJson } from './http-status.ts';
import { createRegistry } from '@bufbuild/protobuf';

/** For errors of the gateway's own, whose details are none. */
export const noTypes = createRegistry();

/** Answers a request that Node's parser gave up on, and ends the connection: where the next one starts is not known. */
export function refuseUnread(socket: Duplex, error: NodeJS.ErrnoException): void {
  refuse(socket, problemOf(error));
}

/** Answers on a bare connection, and ends it. */
export function refuse(socket: Duplex, error: HttpError): void {
  const body = statusJson(error, noTypes);
  const head = [
    `HTTP/1.1 ${error.httpStatus} ${STATUS_CODES[error.httpStatus] ?? ''}`,
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(body)}`,
    ...Object.entries(error.headers).map(([name, value]) => `${name}: ${value}`),
    'connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy());
}

/** What the parser says is for developers of parsers; its code is all that is told. */
function problemOf({ code }: NodeJS.ErrnoException): HttpError {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return new HttpError(431, status.INVALID_ARGUMENT, 'headers: too long in total');
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new HttpError(408, status.DEADLINE_EXCEEDED, 'headers: not received in time');
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return new HttpError(413, status.INVALID_ARGUMENT, 'body: chunk extensions too long');
    default:
      return new HttpError(400, status.INVALID_ARGUMENT, `not HTTP/1.1 (${code ?? 'no code'})`);
  }
}
