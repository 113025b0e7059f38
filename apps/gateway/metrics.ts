import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { status } from '@grpc/grpc-js';
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import type { Finished } from './observe.ts';

/** The metrics of a gateway, in OpenTelemetry's names as Prometheus writes them, with their units. */
export interface Metrics {
  record(finished: Finished): void;
  /** Says where what is open is to be counted. */
  watch(open: { readonly requests: () => number; readonly streams: () => number }): void;
  /** Answers with all of them in Prometheus' text format. */
  expose(request: IncomingMessage, response: ServerResponse): void;
}

/** Upper bounds of the histogram, as the conventions advise. Seconds. */
const boundaries = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

export function createMetrics(): Metrics {
  const exporter = new PrometheusExporter({ preventServerStart: true, withoutTargetInfo: true });
  const meter = new MeterProvider({ readers: [exporter] }).getMeter('gateway');
  const duration = meter.createHistogram('http_server_request_duration_seconds', {
    description: 'Time from the head of a request to the end of its response, streams included',
    unit: 's',
    advice: { explicitBucketBoundaries: boundaries },
  });
  watchProcess(meter);
  return {
    record: ({ request, httpStatus, route, code, durationMs }) => {
      duration.record(durationMs / 1_000, {
        'http.request.method': request.method ?? '',
        // A path that nobody serves is not a label: clients could make any number of them.
        'http.route': route ?? '',
        'http.response.status_code': httpStatus ?? 0,
        'rpc.grpc.status_code': code === undefined ? '' : status[code],
      });
    },
    watch: ({ requests, streams }) => {
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
    },
    expose: (request, response) => {
      exporter.getMetricsRequestHandler(request, response);
    },
  };
}

type Meter = ReturnType<MeterProvider['getMeter']>;

function watchProcess(meter: Meter): void {
  const delay = monitorEventLoopDelay({ resolution: 20 });
  delay.enable();
  const gauge = (name: string, description: string, unit: string, value: () => number) => {
    meter.createObservableGauge(name, { description, unit }).addCallback((result) => {
      result.observe(value());
    });
  };
  meter
    .createObservableCounter('process_cpu_time_seconds', {
      description: 'CPU time of the process',
      unit: 's',
    })
    .addCallback((result) => {
      const { user, system } = process.cpuUsage();
      result.observe((user + system) / 1e6);
    });
  gauge('process_memory_usage_bytes', 'Resident memory', 'By', () => process.memoryUsage.rss());
  gauge('nodejs_heap_used_bytes', 'Heap in use', 'By', () => process.memoryUsage().heapUsed);
  gauge('process_uptime_seconds', 'Since the start', 's', () => process.uptime());
  gauge('nodejs_eventloop_delay_p99_seconds', 'Of all measurements since the last look', 's', () => {
    const seconds = delay.percentile(99) / 1e9;
    delay.reset();
    return seconds;
  });
}

/**
 * Serves `/metrics` on the loopback alone: in a pod its proxy merges them with its own (Istio's annotations
 * `prometheus.io/port` and `prometheus.io/path`), and nobody else is to see them, least of all through the ingress.
 * @param port - 0 takes a free one
 * @throws Error when the port is taken
 */
export async function serveMetrics(
  metrics: Metrics,
  port: number,
): Promise<{ port: number; close: () => void }> {
  const server = createServer((request, response) => {
    if (request.url === '/metrics') metrics.expose(request, response);
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => {
      reject(new Error(`cannot listen on 127.0.0.1:${port}: ${error.message}`));
    });
    server.listen(port, '127.0.0.1', resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
