import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import { status } from '@grpc/grpc-js';
import type { Account } from './budget/account.ts';
import { patienceMs } from './budget/budget.ts';
import { GrowingBuffer } from './growing-buffer.ts';
import { inflated, inflaterBytes, inflationError } from './guard/inflate.ts';
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

/** Inflated lines may be so many times the limit of one in all; those that come as they are have no limit to the whole. */
const inflatedLines = 16;

/** So much of inflated lines no ratio counts for: short texts are packed well. Bytes. */
const inflatedFree = 65_536;

/** Who reads a body as a whole. One of the two is called, once. */
export interface BodyReader {
  done(body: Uint8Array): void;
  /**
   * @param error - an HttpError: 413 too long, 415 not JSON or in another encoding than gzip, 400 broken gzip, 408 too
   * slow, 429 or 503 no room for it; or that of the connection
   */
  failed(error: unknown): void;
}

/** Reads a request's body as a whole and hands it over. */
export function readBody(
  request: IncomingMessage,
  response: ServerResponse,
  limits: BodyLimits,
  account: Account,
  reader: BodyReader,
): void {
  const problem = typeProblem(request, json, 'application/json') ?? lengthProblem(request, limits.bytes);
  if (problem !== undefined) {
    reader.failed(problem);
    return;
  }
  const packed = isGzip(request);
  wantBody(request, response);
  const source = packed ? inflated(request, { most: limits.bytes, free: limits.bytes }) : request;
  const beside = packed ? inflaterBytes : 0;
  const gather = new GrowingBuffer(packed ? limits.bytes : (announced(request) ?? limits.bytes));
  let over = false;
  const stop = () => {
    over = true;
    clearTimeout(timer);
    account.read();
  };
  const fail = (error: unknown) => {
    if (over) return;
    stop();
    source.off('data', onData).off('end', onEnd);
    if (packed) source.destroy();
    reader.failed(error instanceof Error ? inflationError(error) : error);
  };
  const onData = (part: Buffer) => {
    if (gather.length + part.length > limits.bytes) {
      fail(tooLong(limits.bytes));
      return;
    }
    try {
      gather.add(part);
      account.came(part.length);
      account.hold('input', gather.held + beside);
    } catch (error) {
      fail(error);
    }
  };
  const onEnd = () => {
    stop();
    reader.done(gather.take());
  };
  const timer = setTimeout(() => {
    fail(tooSlow(limits.timeoutMs));
  }, limits.timeoutMs);
  account.reading(() => {
    fail(tooStill());
  });
  source.on('data', onData).on('end', onEnd).on('error', fail);
}

/** Who said that it waits to be asked for its body (RFC 9110, section 10.1.1) is; one of HTTP/1.0 cannot have. */
function wantBody({ headers, httpVersion }: IncomingMessage, response: ServerResponse): void {
  if (headers.expect !== undefined && httpVersion !== '1.0') response.writeContinue();
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
  /** Receives an HttpError, or the error of the connection, or what `line` has thrown. Nothing comes after it. */
  failed(error: unknown): void;
}

/**
 * Reads a request's body line by line (NDJSON), no faster than its reader takes the lines: the connection is left
 * unread meanwhile. There is no limit to the whole.
 */
export function readLines(
  request: IncomingMessage,
  response: ServerResponse,
  limit: number,
  account: Account,
  reader: LineReader,
): Lines {
  const problem = typeProblem(request, ndjson, 'application/x-ndjson');
  if (problem !== undefined) {
    reader.failed(problem);
    return { resume: () => undefined };
  }
  const packed = isGzip(request);
  wantBody(request, response);
  const source: Readable = packed
    ? inflated(request, { most: inflatedLines * limit, free: inflatedFree })
    : request;
  const beside = packed ? inflaterBytes : 0;
  const cutter = new LineCutter(limit);
  let held: Buffer = nothing;
  let position = 0;
  let over = false;
  const fail = (error: unknown) => {
    if (over) return;
    over = true;
    if (packed) source.destroy();
    else source.pause();
    reader.failed(error instanceof Error ? inflationError(error) : error);
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
      // Of a line that is handed over only the part is held here in which it ends.
      if (cut.line !== undefined) account.hold('input', held.length + beside);
      if (cut.line !== undefined && cut.line.length > 0 && !reader.line(cut.line)) return false;
      if (over) return false;
    }
    return true;
  };
  const finish = () => {
    if (over) return;
    over = true;
    const last = cutter.rest();
    // Its reader holds it from here on.
    account.hold('input', 0);
    if (last.length > 0) reader.line(last);
    reader.end();
  };
  /** What is not handed over yet is held. */
  const goOn = (): boolean => {
    try {
      const all = advance();
      if (!over) account.hold('input', cutter.held + (all ? 0 : held.length) + beside);
      return all;
    } catch (error) {
      fail(error);
      return false;
    }
  };
  source.on('data', (part: Buffer) => {
    if (over) return;
    [held, position] = [part, 0];
    if (!goOn()) source.pause();
  });
  source.on('end', () => {
    try {
      finish();
    } catch (error) {
      reader.failed(error);
    }
  });
  source.on('error', fail);
  return {
    resume: () => {
      if (!over && goOn()) source.resume();
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
  if (encoding !== undefined && !/^(?:identity|gzip|x-gzip)$/i.test(encoding)) {
    return unsupported(`content-encoding: ${JSON.stringify(encoding)} received; allowed gzip, identity`, {
      'accept-encoding': 'gzip',
    });
  }
  return undefined;
}

/** `x-gzip` is the same, and names of codings have no case (RFC 9110, sections 8.4.1 and 8.4.1.3). */
function isGzip({ headers }: IncomingMessage): boolean {
  const encoding = headers['content-encoding'];
  return encoding !== undefined && /^(?:x-)?gzip$/i.test(encoding);
}

/** The length of a body that says it before. Bytes. */
function announced({ headers }: IncomingMessage): number | undefined {
  const length = headers['content-length'];
  return length === undefined ? undefined : Number(length);
}

function lengthProblem(request: IncomingMessage, limit: number): HttpError | undefined {
  return (announced(request) ?? 0) > limit ? tooLong(limit) : undefined;
}

/** @param allowed - by which a client tells the two reasons apart (RFC 9110, sections 12.5.3 and 15.5.16) */
function unsupported(message: string, allowed: Record<string, string>): HttpError {
  return new HttpError(415, status.INVALID_ARGUMENT, message, { ...allowed, ...close });
}

function tooLong(limit: number): HttpError {
  return new HttpError(413, status.RESOURCE_EXHAUSTED, `body: more than ${limit} bytes`, close);
}

function tooSlow(limitMs: number): HttpError {
  return new HttpError(408, status.DEADLINE_EXCEEDED, `body: not received within ${limitMs} ms`, close);
}

function tooStill(): HttpError {
  const message = `body: nothing received for ${patienceMs} ms while other requests wait`;
  return new HttpError(408, status.DEADLINE_EXCEEDED, message, close);
}
