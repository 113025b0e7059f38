import { gzip } from 'node:zlib';
import { status } from '@grpc/grpc-js';
import { statusError } from '../../runtime/status.ts';
import { negotiate, takesGzip } from './accept.ts';
import { Exchange, leftoverOf, sendJson } from './exchange.ts';
import { alone } from './guard/alone.ts';
import type { CallStatus } from '../transport/types.ts';

/** Shorter answers are not worth the time that gzip takes. Bytes. */
const gzipFrom = 1_024;

/** A call with one answer: a response of JSON. */
export class UnaryExchange extends Exchange {
  #answer: Uint8Array | undefined;

  negotiate(): void {
    negotiate(this.request.headers, ['application/json']);
  }

  message(bytes: Uint8Array): void {
    if (this.#answer === undefined) {
      this.account.hold('answer', bytes.length);
      this.#answer = bytes;
    } else this.fail(statusError(status.UNIMPLEMENTED, `${this.match.route.name}: more than one answer`));
  }

  end(ended: CallStatus): void {
    if (this.over) return;
    const answer = this.#answer;
    if (ended.code !== 0) this.failed(ended);
    else if (answer === undefined) {
      this.fail(statusError(status.UNIMPLEMENTED, `${this.match.route.name}: the answer has no message`));
    } else this.#send(answer, ended);
  }

  #send(answer: Uint8Array, ended: CallStatus): void {
    let body: Uint8Array;
    try {
      body = this.encode(answer);
      this.account.hold('queue', body.length);
    } catch (error) {
      this.fail(error);
      return;
    }
    this.settle(status.OK);
    this.#answer = undefined;
    this.account.hold('answer', 0);
    // A service may answer before it has read all that the client sends.
    const headers: Record<string, string> = {
      ...this.scope.crossing.headersOf(this.answerHeader),
      ...leftoverOf(this.request),
    };
    const trailers = this.trailerFields(ended.trailers);
    if (body.length < gzipFrom) {
      sendJson(this.response, 200, headers, body, trailers);
      return;
    }
    headers['vary'] = 'accept-encoding';
    if (!takesGzip(this.request.headers)) {
      sendJson(this.response, 200, headers, body, trailers);
      return;
    }
    gzip(body, (error, packed) => {
      alone(this, () => {
        if (this.response.destroyed) return;
        if (error === null) {
          sendJson(this.response, 200, { ...headers, 'content-encoding': 'gzip' }, packed, trailers);
        } else sendJson(this.response, 200, headers, body, trailers);
      });
    });
  }
}
