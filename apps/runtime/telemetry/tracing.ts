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
 * Those of OpenTelemetry's own variables whose wrong value would lose spans silently. The exporter, the sampler and the
 * batch processor read these and all others themselves.
 * Source: https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
 */
export const tracingEnv = {
  OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: endpoint,
};

/** Whether the environment names a collector and does not disable tracing. */
export function isTraced(environment: Readonly<Record<string, string | undefined>>): boolean {
  const is = (name: string, value: string) => environment[name]?.trim().toLowerCase() === value;
  if (is('OTEL_SDK_DISABLED', 'true') || is('OTEL_TRACES_EXPORTER', 'none')) return false;
  return ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'OTEL_EXPORTER_OTLP_ENDPOINT'].some(
    (name) => (environment[name]?.trim() ?? '') !== '',
  );
}

let current: Tracing | undefined;

/** The program's tracing; undefined while it has none. */
export function tracing(): Tracing | undefined {
  return current;
}

/**
 * Starts the program's tracing when its environment names a collector (OTLP over gRPC). Without one, OpenTelemetry's SDK is
 * not loaded, calls have no spans, and clients pass trace headers on unchanged.
 */
export async function startTracing(program: Program, log: Logger): Promise<Tracing | undefined> {
  if (!isTraced(process.env)) return undefined;
  const { createTracing } = await import('./otlp.ts');
  current = createTracing(program, log);
  return current;
}
