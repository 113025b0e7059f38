import { status } from '@grpc/grpc-js';
import type { StatusError } from '../../runtime/status.ts';
import { negotiate } from './accept.ts';
import { errorOf, knownError } from './errors.ts';
import { Exchange, notRead } from './exchange.ts';
import { alone } from './guard/alone.ts';
import { formats, isAfterEnd } from './formats.ts';
import type { StreamFormat } from './formats.ts';
import { statusJson } from './http-status.ts';
import { streamWindow } from '../transport/connection.ts';
import type { CallStatus, MetadataPairs } from '../transport/types.ts';

/** So long a stream of events may be silent before the client gets a sign of life. Milliseconds. */
const keepAliveMs = 15_000;

/**
 * So long after a service took the call its error still is an answer of its own, with its HTTP status; later it is
 * told within the stream. Milliseconds.
 */
const headerDelayMs = 1_000;

const streamTypes = ['application/x-ndjson', 'text/event-stream'] as const;

/** A call with many answers: a response that goes on, of lines or of events. */
export class StreamExchange extends Exchange {
  #format: StreamFormat = formats['application/x-ndjson'];
  #keepAlive: NodeJS.Timeout | undefined;
  #headerDelay: NodeJS.Timeout | undefined;

  negotiate(): void {
    this.#format = formats[negotiate(this.request.headers, streamTypes)];
  }

  override answersAtOnce(): boolean {
    if (this.#format !== formats['text/event-stream'] || !isAfterEnd(this.request)) return false;
    this.settle(status.OK);
    this.response.writeHead(204).end();
    return true;
  }

  override header(metadata: MetadataPairs): void {
    super.header(metadata);
    if (this.over) return;
    this.#headerDelay = setTimeout(() => {
      alone(this, () => {
        this.#begin();
      });
    }, headerDelayMs);
  }

  message(bytes: Uint8Array): void {
    if (this.over) return;
    this.account.hold('answer', bytes.length);
    const text = this.#format.message(this.encode(bytes));
    this.account.hold('answer', 0);
    this.#begin();
    this.touch();
    this.#keepAlive?.refresh();
    if (this.response.write(text)) return;
    this.call?.pause();
    this.response.once('drain', this.#onDrain);
    this.#holdQueue();
  }

  /** One who reads slowly has what waits here, and what the service may still send before it is held back. */
  #holdQueue(): void {
    try {
      this.account.hold('queue', this.response.writableLength + streamWindow);
      this.account.standing(() => {
        alone(this, () => {
          this.fail(notRead);
          this.response.destroy();
        });
      });
    } catch (error) {
      this.fail(error);
      // What waits is to be gone at once, and the error would wait behind it.
      this.response.destroy();
    }
  }

  readonly #onDrain = (): void => {
    alone(this, () => {
      this.account.moved();
      this.account.hold('queue', 0);
      if (this.over) return;
      this.touch();
      this.call?.resume();
    });
  };

  end(ended: CallStatus): void {
    if (this.over) return;
    if (ended.code !== 0 && !this.response.headersSent) {
      this.failed(ended);
      return;
    }
    this.#begin();
    const error =
      ended.code === 0 ? undefined : errorOf(ended, this.answerHeader, this.match.route, this.scope.log);
    this.#finish(error, ended.trailers);
  }

  override fail(thrown: unknown): void {
    if (!this.response.headersSent) super.fail(thrown);
    else if (!this.over) {
      this.#finish(knownError(thrown, this.scope.log), []);
      this.call?.cancel();
    }
  }

  #begin(): void {
    clearTimeout(this.#headerDelay);
    if (this.response.headersSent) return;
    this.response.writeHead(200, {
      ...this.#format.headers,
      ...this.scope.crossing.headersOf(this.answerHeader),
    });
    this.response.flushHeaders();
    const { keepAlive } = this.#format;
    if (keepAlive === undefined) return;
    this.#keepAlive = setInterval(() => {
      alone(this, () => {
        // One that waits for the client to read has nothing to add.
        if (!this.response.writableNeedDrain) this.response.write(keepAlive);
      });
    }, keepAliveMs);
  }

  #finish(error: StatusError | undefined, trailers: MetadataPairs): void {
    this.settle(error?.code ?? status.OK);
    const fields = this.trailerFields(trailers);
    if (fields.length > 0) this.response.addTrailers(fields);
    this.response.end(this.#format.end(error && statusJson(error, this.scope.registry)));
  }

  protected override settle(code: status): void {
    super.settle(code);
    clearTimeout(this.#headerDelay);
    clearInterval(this.#keepAlive);
  }
}
