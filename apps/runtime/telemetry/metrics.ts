import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus';
import { MeterProvider } from '@opentelemetry/sdk-metrics';

export type Meter = ReturnType<MeterProvider['getMeter']>;

/** The metrics of a program, with OpenTelemetry's names in Prometheus' spelling, including units. */
export interface Metrics {
  readonly meter: Meter;
  /** Responds with all metrics in Prometheus' text format. */
  readonly expose: (request: IncomingMessage, response: ServerResponse) => void;
}

/** Upper bounds of a histogram of durations, as OpenTelemetry's conventions for RPC and HTTP advise. Seconds. */
export const durationBoundaries = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

/**
 * Creates metrics that include those of the process.
 * @param program - value of the label `otel_scope_name`, which distinguishes the containers of a pod
 */
export function createMetrics(program: string): Metrics {
  const exporter = new PrometheusExporter({ preventServerStart: true, withoutTargetInfo: true });
  const meter = new MeterProvider({ readers: [exporter] }).getMeter(program);
  watchProcess(meter);
  return {
    meter,
    expose: (request, response) => {
      exporter.getMetricsRequestHandler(request, response);
    },
  };
}

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
  gauge('process_uptime_seconds', 'Time since the process started', 's', () => process.uptime());
  gauge(
    'nodejs_eventloop_delay_p99_seconds',
    '99th percentile of the event loop delay since the last scrape',
    's',
    () => {
      const seconds = delay.percentile(99) / 1e9;
      delay.reset();
      return seconds;
    },
  );
}

/**
 * Serves `/metrics` on the loopback only: in a pod the proxy merges them with its own (Istio's annotations
 * `prometheus.io/port` and `prometheus.io/path`), and they must not be visible elsewhere, least of all through the ingress.
 * @param port - 0 for any free port
 * @throws Error when the port is in use
 */
export async function serveMetrics(
  metrics: Pick<Metrics, 'expose'>,
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
