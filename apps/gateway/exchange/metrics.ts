import { status } from '@grpc/grpc-js';
import { createMetrics, durationBoundaries } from '../../runtime/telemetry/metrics.ts';
import type { Metrics } from '../../runtime/telemetry/metrics.ts';
import type { Finished } from './finished.ts';

/** The metrics of a gateway. */
export interface GatewayMetrics extends Pick<Metrics, 'expose'> {
  record(finished: Finished): void;
  /** Says where what is open is to be counted. */
  watch(open: {
    readonly requests: () => number;
    readonly streams: () => number;
    readonly bytes: () => number;
  }): void;
}

export function createGatewayMetrics(): GatewayMetrics {
  const { meter, expose } = createMetrics('gateway');
  const duration = meter.createHistogram('http_server_request_duration_seconds', {
    description: 'Time from the head of a request to the end of its response, streams included',
    unit: 's',
    advice: { explicitBucketBoundaries: durationBoundaries },
  });
  return {
    expose,
    record: ({ request, httpStatus, route, code, durationMs }) => {
      duration.record(durationMs / 1_000, {
        'http.request.method': request.method ?? '',
        // A path that nobody serves is not a label: clients could make any number of them.
        'http.route': route ?? '',
        'http.response.status_code': httpStatus ?? 0,
        'rpc.status_code': code === undefined ? '' : status[code],
      });
    },
    watch: ({ requests, streams, bytes }) => {
      meter
        .createObservableGauge('http_server_active_requests', {
          description: 'Requests in flight, streams included',
        })
        .addCallback((result) => {
          result.observe(requests());
        });
      meter
        .createObservableGauge('gateway_streams', { description: 'Streams open, WebSockets included' })
        .addCallback((result) => {
          result.observe(streams());
        });
      meter
        .createObservableGauge('gateway_held_bytes', {
          description: 'What waits in the process for clients and services, of MAX_BYTES',
          unit: 'By',
        })
        .addCallback((result) => {
          result.observe(bytes());
        });
    },
  };
}
