import { z } from 'zod';
import type { Logger } from '../log.ts';
import type { Program, Tracing } from './spans.ts';

const endpointRule = 'a URL such as http://otel-collector.observability.svc.cluster.local:4317';

const endpoint = z
  .string({ error: endpointRule })
  .refine((value) => value.trim() === '' || /^https?:\/\/[^/?#@\s]+\/?$/.test(value.trim()), {
    error: endpointRule,
  })
  .optional();

/**
 * OpenTelemetry's own variables, as far as a wrong value would have spans lost without a word; the exporter, the sampler
 * and the batches read these and the others themselves.
 * Source: https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
 */
export const tracingEnv = {
  OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: endpoint,
};

/** Whether there is somewhere to send spans to, and nobody has said not to. */
export function isTraced(environment: Readonly<Record<string, string | undefined>>): boolean {
  const is = (name: string, value: string) => environment[name]?.trim().toLowerCase() === value;
  if (is('OTEL_SDK_DISABLED', 'true') || is('OTEL_TRACES_EXPORTER', 'none')) return false;
  return ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'OTEL_EXPORTER_OTLP_ENDPOINT'].some(
    (name) => (environment[name]?.trim() ?? '') !== '',
  );
}

let current: Tracing | undefined;

/** The program's tracing; undefined as long as it has none. */
export function tracing(): Tracing | undefined {
  return current;
}

/**
 * Starts the program's tracing when its environment names a collector (OTLP over gRPC). Without one nothing of
 * OpenTelemetry's is loaded, calls have no spans, and clients pass the headers of traces on as they came.
 */
export async function startTracing(program: Program, log: Logger): Promise<Tracing | undefined> {
  if (!isTraced(process.env)) return undefined;
  const { createTracing } = await import('./otlp.ts');
  current = createTracing(program, log);
  return current;
}
