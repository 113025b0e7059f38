import type { Client, Metadata, status } from '@grpc/grpc-js';
import type { DescMethod } from '@bufbuild/protobuf';
import { z } from 'zod';
import type { CallContext } from './handlers.ts';
import type { Interceptor } from './interceptors.ts';
import type { Logger } from './log.ts';

/** The spans of a program, for those who make calls and those who answer them. */
export interface Tracing {
  /** Begins the span of each call that is answered, as a child of the caller's, and sets `context.span`. */
  readonly interceptor: Interceptor;
  /** Begins the span of a call that is made, as a child of the parent's, and puts it into the call's metadata. */
  startCall(call: StartedCall): CallSpan;
  /** Sends what was not sent yet, and ends. Resolves within 2 s, whether the collector answers or not. */
  stop(): Promise<void>;
}

export interface StartedCall {
  readonly method: DescMethod;
  readonly client: Client;
  /** The call being answered. Without one the span is a child of what the metadata names, or the first of a trace. */
  readonly parent: CallContext | undefined;
  readonly metadata: Metadata;
}

export interface CallSpan {
  /** To be called once, when the call is over. */
  end(code: status): void;
}

/** What the resource of every span says of the program. */
export interface Program {
  readonly name: string;
  /** @default - not known */
  readonly version?: string | undefined;
  readonly cluster: string;
  readonly pod: string;
  /** @default - not known */
  readonly namespace?: string | undefined;
}

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
