import type { IncomingMessage } from 'node:http';
import { status } from '@grpc/grpc-js';
import { HttpError } from './status.ts';

/**
 * Reads a request's body as a whole.
 * @param limit - most bytes
 * @throws HttpError 413 when it is longer, 415 when it is not plain JSON; what was not read is left to the connection's end
 */
export async function readBody(request: IncomingMessage, limit: number): Promise<Uint8Array> {
  checkType(request);
  // Also ends the connection: it still holds the rest of the body.
  const tooLong = () =>
    new HttpError(413, status.RESOURCE_EXHAUSTED, `body: more than ${limit} bytes`, { connection: 'close' });
  if (Number(request.headers['content-length'] ?? 0) > limit) throw tooLong();
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > limit) throw tooLong();
    chunks.push(chunk);
  }
  return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks);
}

function checkType({ headers }: IncomingMessage): void {
  const type = headers['content-type'];
  if (type !== undefined && !/^application\/(?:[\w.+-]+\+)?json *(?:;|$)/i.test(type)) {
    throw unsupported(`content-type: ${JSON.stringify(type)} received; allowed application/json`);
  }
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity') {
    throw unsupported(`content-encoding: ${JSON.stringify(encoding)} received; allowed identity`);
  }
}

function unsupported(message: string): HttpError {
  return new HttpError(415, status.INVALID_ARGUMENT, message);
}
