import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { status } from '@grpc/grpc-js';
import { HttpError } from '../http-status.ts';

/** What a body may become when it is inflated. */
export interface InflationLimits {
  /** As it comes, and inflated. Bytes. */
  readonly most: number;
  /** Up to so many inflated bytes no ratio counts. */
  readonly free: number;
}

/** Inflated bytes for each one that came. gzip makes 1030 of one at best; lines of JSON seldom make 20. */
const mostRatio = 32;

/** What zlib takes for one stream: its window, and a part of what comes out. Bytes. */
export const inflaterBytes = 65_536;

/** Ends the connection too: it still holds the rest of the body. */
const close = { connection: 'close' };

/**
 * A gzip body inflated as it comes. All that comes out counts, whatever the reader makes of it: a reader of lines may see
 * nothing of a gigabyte of empty ones.
 * @returns a stream whose error is an HttpError: 413 too much, 400 no sound gzip; or that of the connection
 */
export function inflated(request: IncomingMessage, limits: InflationLimits): Readable {
  const gunzip = createGunzip();
  let packed = 0;
  let out = 0;
  const stop = (error: Error) => {
    request.unpipe(gunzip);
    gunzip.destroy(error);
  };
  request.on('data', (part: Buffer) => {
    packed += part.length;
    if (packed > limits.most) stop(tooMuch(`more than ${limits.most} bytes`));
  });
  gunzip.on('data', (part: Buffer) => {
    out += part.length;
    if (out > limits.most) stop(tooMuch(`more than ${limits.most} bytes`));
    else if (out > limits.free && out > packed * mostRatio) {
      stop(tooMuch(`gzip of more than ${mostRatio} bytes for each byte received`));
    }
  });
  request.on('error', stop);
  request.pipe(gunzip);
  return gunzip;
}

/** What an error of an inflated body means. */
export function inflationError(error: Error): Error {
  if (error instanceof HttpError || !isZlib(error)) return error;
  return new HttpError(400, status.INVALID_ARGUMENT, `body: invalid gzip: ${error.message}`, close);
}

function isZlib(error: Error & { code?: unknown }): boolean {
  return typeof error.code === 'string' && error.code.startsWith('Z_');
}

function tooMuch(what: string): HttpError {
  return new HttpError(413, status.RESOURCE_EXHAUSTED, `body: ${what}`, close);
}
