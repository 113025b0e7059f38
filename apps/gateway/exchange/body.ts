import type { IncomingMessage, ServerResponse } from 'node:http';
import { createGunzip, gunzip } from 'node:zlib';
import type { Readable } from 'node:stream';
import { status } from '@grpc/grpc-js';
import { Gather } from './gather.ts';
import { LineCutter } from './lines.ts';
import { HttpError } from './http-status.ts';

export interface BodyLimits {
  /** Longest body, or longest line of a body in lines, after inflation. */
  readonly bytes: number;
  /** How long a whole body may take to arrive. Milliseconds. */
  readonly timeoutMs: number;
}

/** JSON and all that is written as such (RFC 6839, section 3.1). */
const json = /^application\/(?:[\w.+-]+\+)?json *(?:;|$)/i;
const ndjson = /^application\/x-ndjson *(?:;|$)/i;

/** Ends the connection too: it still holds the rest of the body. */
const close = { connection: 'close' };

/**
 * Reads a request's body as a whole and hands it over, once; calls nothing more after `failed`.
 * @param failed - receives an HttpError: 413 too long, 415 not JSON or in another encoding than gzip, 400 broken gzip,
 * 408 too slow
 */
export function readBody(
  request: IncomingMessage,
  response: ServerResponse,
  limits: BodyLimits,
  done: (body: Uint8Array) => void,
  failed: (error: Error) => void,
): void {
  const problem = typeProblem(request, json, 'application/json') ?? lengthProblem(request, limits.bytes);
  if (problem !== undefined) {
    failed(problem);
    return;
  }
  if (request.headers.expect !== undefined) response.writeContinue();
  const gather = new Gather();
  const end = (error?: Error) => {
    clearTimeout(timer);
    request.off('data', onData).off('end', onEnd).off('error', end);
    if (error !== undefined) failed(error);
  };
  const onData = (part: Buffer) => {
    if (gather.length + part.length > limits.bytes) end(tooLong(limits.bytes));
    else gather.add(part);
  };
  const onEnd = () => {
    end();
    if (request.headers['content-encoding'] === 'gzip') inflate(gather.take(), limits.bytes, done, failed);
    else done(gather.take());
  };
  const timer = setTimeout(() => {
    end(tooSlow(limits.timeoutMs));
  }, limits.timeoutMs);
  request.on('data', onData).on('end', onEnd).on('error', end);
}

function inflate(
  bytes: Buffer,
  limit: number,
  done: (body: Uint8Array) => void,
  failed: (error: Error) => void,
): void {
  gunzip(bytes, { maxOutputLength: limit }, (error, inflated) => {
    if (error === null) done(inflated);
    else failed('code' in error && error.code === 'ERR_BUFFER_TOO_LARGE' ? tooLong(limit) : broken(error));
  });
}

/** A body in lines as it arrives. */
export interface Lines {
  /** Asks for the next lines, after `line` said that it takes no more. */
  resume(): void;
}

/** Receives a body's lines: empty ones are left out. */
export interface LineReader {
  /** @returns whether the next line may come at once */
  line(line: Buffer): boolean;
  end(): void;
  /** Receives an HttpError, or the error of the connection. Nothing comes after it. */
  failed(error: Error): void;
}

/**
 * Reads a request's body line by line (NDJSON), no faster than its reader takes the lines: the connection is left
 * unread meanwhile. There is no limit to the whole.
 */
export function readLines(
  request: IncomingMessage,
  response: ServerResponse,
  limit: number,
  reader: LineReader,
): Lines {
  const problem = typeProblem(request, ndjson, 'application/x-ndjson');
  if (problem !== undefined) {
    reader.failed(problem);
    return { resume: () => undefined };
  }
  if (request.headers.expect !== undefined) response.writeContinue();
  const source: Readable =
    request.headers['content-encoding'] === 'gzip' ? request.pipe(createGunzip()) : request;
  const cutter = new LineCutter(limit);
  let held: Buffer = nothing;
  let position = 0;
  let over = false;
  const fail = (error: Error) => {
    if (over) return;
    over = true;
    source.pause();
    reader.failed(error);
  };
  /** Hands over the lines of what is held; false when the reader takes no more for now. */
  const advance = (): boolean => {
    while (position < held.length) {
      const cut = cutter.take(held, position);
      if (cut === 'long') {
        fail(
          new HttpError(413, status.RESOURCE_EXHAUSTED, `body: a line of more than ${limit} bytes`, close),
        );
        return false;
      }
      position = cut.next;
      if (cut.line !== undefined && cut.line.length > 0 && !reader.line(cut.line)) return false;
      if (over) return false;
    }
    return true;
  };
  const finish = () => {
    if (over) return;
    over = true;
    const last = cutter.rest();
    if (last.length > 0) reader.line(last);
    reader.end();
  };
  source.on('data', (part: Buffer) => {
    [held, position] = [part, 0];
    if (!advance()) source.pause();
  });
  source.on('end', finish);
  source.on('error', (error) => {
    fail(source === request ? error : broken(error));
  });
  if (source !== request) request.on('error', fail);
  return {
    resume: () => {
      if (!over && advance()) source.resume();
    },
  };
}

const nothing = Buffer.alloc(0);

function typeProblem({ headers }: IncomingMessage, types: RegExp, allowed: string): HttpError | undefined {
  const type = headers['content-type'];
  if (type !== undefined && !types.test(type)) {
    return unsupported(`content-type: ${JSON.stringify(type)} received; allowed ${allowed}`, {
      accept: allowed,
    });
  }
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity' && encoding !== 'gzip') {
    return unsupported(`content-encoding: ${JSON.stringify(encoding)} received; allowed gzip, identity`, {
      'accept-encoding': 'gzip',
    });
  }
  return undefined;
}

function lengthProblem({ headers }: IncomingMessage, limit: number): HttpError | undefined {
  return Number(headers['content-length'] ?? 0) > limit ? tooLong(limit) : undefined;
}

/** @param allowed - by which a client tells the two reasons apart (RFC 9110, sections 12.5.3 and 15.5.16) */
function unsupported(message: string, allowed: Record<string, string>): HttpError {
  return new HttpError(415, status.INVALID_ARGUMENT, message, { ...allowed, ...close });
}

function tooLong(limit: number): HttpError {
  return new HttpError(413, status.RESOURCE_EXHAUSTED, `body: more than ${limit} bytes`, close);
}

function tooSlow(limitMs: number): HttpError {
  return new HttpError(408, status.DEADLINE_EXCEEDED, `body: not there after ${limitMs} ms`, close);
}

function broken(error: Error): HttpError {
  return new HttpError(400, status.INVALID_ARGUMENT, `body: no sound gzip: ${error.message}`, close);
}
