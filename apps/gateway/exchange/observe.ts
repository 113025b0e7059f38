import type { IncomingMessage, ServerResponse } from 'node:http';
import { status } from '@grpc/grpc-js';
import type { Logger } from '../../runtime/log.ts';
import { traceIdsOf } from '../../runtime/telemetry/trace-context.ts';
import type { Finished } from './finished.ts';
import type { GatewayMetrics } from './metrics.ts';

/** Learns of every request that is over. */
export type Observer = (finished: Finished) => void;

/** Writes a line of the access log for each request, and counts it. */
export function createObserver(log: Logger, metrics: Pick<GatewayMetrics, 'record'>): Observer {
  return (finished) => {
    metrics.record(finished);
    if (!log.isLevelEnabled('info')) return;
    const { request, httpStatus, route, code, durationMs, bytes } = finished;
    log.info(
      {
        // The path itself and the query may hold what is nobody's business.
        method: request.method,
        route,
        status: httpStatus,
        grpcCode: code === undefined ? undefined : status[code],
        durationMs: Math.round(durationMs * 10) / 10,
        bytes,
        requestId: textOf(request.headers['x-request-id']),
        ...traceIdsOf(request.headers['traceparent']),
      },
      'request',
    );
  };
}

/** An observer that throws is told of in the log: a request that is over has nothing left that could fail. */
export function heard(observer: Observer, log: Logger): Observer {
  return (finished) => {
    try {
      observer(finished);
    } catch (error) {
      log.error({ err: error }, 'observer failed');
    }
  };
}

/** Starts watching a request; what is returned is called at its end. */
export function watchRequest(
  request: IncomingMessage,
  observer: Observer,
): (response: ServerResponse | undefined, route: string | undefined, code: status | undefined) => void {
  const started = performance.now();
  const { socket } = request;
  const before = socket.bytesWritten;
  return (response, route, code) => {
    observer({
      request,
      httpStatus: response === undefined ? 101 : response.headersSent ? response.statusCode : undefined,
      route,
      code,
      durationMs: performance.now() - started,
      bytes: socket.bytesWritten - before,
    });
  };
}

/** Clients choose it: what is longer than any real one, or could be mistaken for something else, is left out. */
function textOf(value: string | string[] | undefined): string | undefined {
  return typeof value === 'string' && /^[\w.:/+=-]{1,128}$/.test(value) ? value : undefined;
}
