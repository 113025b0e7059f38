import { setTimeout as sleep } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import type { Metadata } from '@grpc/grpc-js';
import type { DescMethod } from '@bufbuild/protobuf';
import { DiagLogLevel, ROOT_CONTEXT, SpanKind, SpanStatusCode, diag, trace } from '@opentelemetry/api';
import type { Context, Span, TextMapGetter, TextMapSetter } from '@opentelemetry/api';
import { W3CTraceContextPropagator, setGlobalErrorHandler } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-grpc';
import {
  defaultResource,
  detectResources,
  envDetector,
  resourceFromAttributes,
} from '@opentelemetry/resources';
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';
import {
  ATTR_ERROR_TYPE,
  ATTR_RPC_METHOD,
  ATTR_RPC_STATUS_CODE,
  ATTR_RPC_SYSTEM_NAME,
  ATTR_SERVER_ADDRESS,
  ATTR_SERVER_PORT,
  ATTR_SERVICE_NAME,
  ATTR_SERVICE_VERSION,
  RPC_SYSTEM_NAME_VALUE_GRPC,
} from '@opentelemetry/semantic-conventions';
import { Health } from '../../../gen/grpc/health/v1/health_pb.js';
import type { Interceptor } from '../server/interceptors.ts';
import type { Logger } from '../log.ts';
import type { Program, Tracing } from './spans.ts';

/** Milliseconds. A pod has 5 s left when its calls have ended, see apps/config/shutdown.ts. */
const stopLimit = 2_000;

/** Status codes that count as errors of the server. Source: OpenTelemetry's semantic conventions for gRPC. */
const serverErrors: ReadonlySet<status> = new Set([
  status.UNKNOWN,
  status.DEADLINE_EXCEEDED,
  status.UNIMPLEMENTED,
  status.INTERNAL,
  status.UNAVAILABLE,
  status.DATA_LOSS,
]);

/** Spans of OpenTelemetry's SDK, sent in batches as configured by its variables (`OTEL_...`). */
export function createTracing(program: Program, log: Logger): Tracing {
  report(log);
  const provider = new BasicTracerProvider({
    resource: resourceOf(program),
    spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())],
  });
  const tracer = provider.getTracer('meshwright');
  const propagator = new W3CTraceContextPropagator();
  const callerOf = (metadata: Metadata): Context => propagator.extract(ROOT_CONTEXT, metadata, getter);

  const interceptor: Interceptor = (method) => {
    // The kubelet checks health every few seconds.
    if (method.parent.typeName === Health.typeName) return undefined;
    const name = nameOf(method);
    const options = { kind: SpanKind.SERVER, attributes: attributesOf(name) };
    return (context) => {
      const span = tracer.startSpan(name, options, callerOf(context.metadata));
      context.span = span;
      return {
        end: ({ code }) => {
          end(span, code, serverErrors.has(code));
        },
      };
    };
  };

  return {
    interceptor,
    startCall: ({ method, client, parent, metadata }) => {
      const name = nameOf(method);
      const within =
        parent?.span === undefined ? callerOf(metadata) : trace.setSpan(ROOT_CONTEXT, parent.span);
      const attributes = { ...attributesOf(name), ...addressOf(client.getChannel().getTarget()) };
      const span = tracer.startSpan(name, { kind: SpanKind.CLIENT, attributes }, within);
      // A tracestate without a valid traceparent belongs to no trace.
      metadata.remove('tracestate');
      propagator.inject(trace.setSpan(within, span), metadata, setter);
      return {
        end: (code) => {
          end(span, code, code !== status.OK);
        },
      };
    },
    stop: async () => {
      const limit = new AbortController();
      const late = sleep(stopLimit, 'late' as const, { signal: limit.signal }).catch(() => undefined);
      const sent = provider.shutdown().catch((error: unknown) => {
        log.warn({ from: 'opentelemetry', err: error }, 'some spans were not exported before the end');
      });
      if ((await Promise.race([sent, late])) === 'late') {
        log.warn(
          { from: 'opentelemetry' },
          `some spans were not exported before the end within ${stopLimit} ms`,
        );
      }
      limit.abort();
    },
  };
}

/** Redirects OpenTelemetry's messages to the log; by default they go to the console. */
function report(log: Logger): void {
  const warn = (message: string) => {
    log.warn({ from: 'opentelemetry' }, message);
  };
  const nothing = () => undefined;
  diag.setLogger(
    { error: warn, warn, info: nothing, debug: nothing, verbose: nothing },
    { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true },
  );
  setGlobalErrorHandler((err) => {
    log.warn({ from: 'opentelemetry', err }, 'spans were not sent');
  });
}

function resourceOf({ name, version, cluster, pod, namespace }: Program) {
  const known = {
    [ATTR_SERVICE_NAME]: name,
    ...(version === undefined ? {} : { [ATTR_SERVICE_VERSION]: version }),
    'k8s.cluster.name': cluster,
    ...(namespace === undefined ? {} : { 'k8s.namespace.name': namespace }),
    'k8s.pod.name': pod,
  };
  return defaultResource()
    .merge(resourceFromAttributes(known))
    .merge(detectResources({ detectors: [envDetector] }));
}

/** `package.Service/Method`, also the name of its spans. */
function nameOf({ parent, name }: DescMethod): string {
  return `${parent.typeName}/${name}`;
}

function attributesOf(method: string) {
  return { [ATTR_RPC_SYSTEM_NAME]: RPC_SYSTEM_NAME_VALUE_GRPC, [ATTR_RPC_METHOD]: method };
}

/** The server's address, from a channel's target: `dns:catalog.shop.svc.cluster.local:50051`. */
function addressOf(target: string) {
  const [, host = target, port] = /^(?:\w+:)?(?:\/\/[^/]*\/)?(.*?)(?::(\d+))?$/.exec(target) ?? [];
  return { [ATTR_SERVER_ADDRESS]: host, ...(port === undefined ? {} : { [ATTR_SERVER_PORT]: Number(port) }) };
}

/** Ends a span. The status message is left out: it is for the caller, and may contain data of the request. */
function end(span: Span, code: status, failed: boolean): void {
  span.setAttribute(ATTR_RPC_STATUS_CODE, status[code]);
  if (failed) span.setAttribute(ATTR_ERROR_TYPE, status[code]).setStatus({ code: SpanStatusCode.ERROR });
  span.end();
}

const getter: TextMapGetter<Metadata> = {
  keys: (metadata) => Object.keys(metadata.getMap()),
  get: (metadata, key) => {
    const values = metadata.get(key);
    // With two traceparents, neither is valid; several tracestate values form one list.
    return key === 'traceparent' && values.length > 1 ? undefined : values.join(',') || undefined;
  },
};

const setter: TextMapSetter<Metadata> = {
  set: (metadata, key, value) => {
    metadata.set(key, value);
  },
};
