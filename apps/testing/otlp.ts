import { createFileRegistry, fromJson } from '@bufbuild/protobuf';
import type { DescService, JsonValue } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import { startLocal } from './local.ts';
import type { Local } from './local.ts';

const field = (number: number, name: string, type: string, repeated = false) => {
  const isMessage = type.startsWith('.');
  return {
    name,
    jsonName: name,
    number,
    label: repeated ? 'LABEL_REPEATED' : 'LABEL_OPTIONAL',
    ...(isMessage ? { type: 'TYPE_MESSAGE', typeName: type } : { type: `TYPE_${type.toUpperCase()}` }),
  };
};
const message = (name: string, ...fields: JsonValue[]) => ({ name, field: fields });
const many = true;

/** The part of OTLP that the tests look at. Source: https://github.com/open-telemetry/opentelemetry-proto, v1. */
const file = {
  name: 'test/otlp.proto',
  package: 'opentelemetry.proto.collector.trace.v1',
  syntax: 'proto3',
  messageType: [
    message('ExportTraceServiceRequest', field(1, 'resource_spans', at('ResourceSpans'), many)),
    message('ExportTraceServiceResponse'),
    message(
      'ResourceSpans',
      field(1, 'resource', at('Resource')),
      field(2, 'scope_spans', at('ScopeSpans'), many),
    ),
    message('Resource', field(1, 'attributes', at('KeyValue'), many)),
    message('KeyValue', field(1, 'key', 'string'), field(2, 'value', at('AnyValue'))),
    message('AnyValue', field(1, 'string_value', 'string'), field(3, 'int_value', 'int64')),
    message('ScopeSpans', field(2, 'spans', at('Span'), many)),
    message(
      'Span',
      field(1, 'trace_id', 'bytes'),
      field(2, 'span_id', 'bytes'),
      field(3, 'trace_state', 'string'),
      field(4, 'parent_span_id', 'bytes'),
      field(5, 'name', 'string'),
      field(6, 'kind', 'int32'),
      field(9, 'attributes', at('KeyValue'), many),
      field(15, 'status', at('Status')),
    ),
    message('Status', field(2, 'message', 'string'), field(3, 'code', 'int32')),
  ],
  service: [
    {
      name: 'TraceService',
      method: [
        {
          name: 'Export',
          inputType: at('ExportTraceServiceRequest'),
          outputType: at('ExportTraceServiceResponse'),
        },
      ],
    },
  ],
};

function at(name: string): string {
  return `.opentelemetry.proto.collector.trace.v1.${name}`;
}

interface Attribute {
  readonly key: string;
  readonly value: { readonly stringValue: string; readonly intValue: bigint };
}
interface Request {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] };
    readonly scopeSpans: readonly { readonly spans: readonly WireSpan[] }[];
  }[];
}
interface WireSpan {
  readonly traceId: Uint8Array;
  readonly spanId: Uint8Array;
  readonly parentSpanId: Uint8Array;
  readonly traceState: string;
  readonly name: string;
  readonly kind: number;
  readonly attributes: readonly Attribute[];
  readonly status?: { readonly code: number; readonly message: string };
}

type Values = Readonly<Record<string, string | number>>;

/** A span that was received. Ids in hex, `parent` empty for the first of a trace. */
export interface ReceivedSpan {
  readonly trace: string;
  readonly id: string;
  readonly parent: string;
  readonly traceState: string;
  readonly name: string;
  readonly kind: 'server' | 'client' | number;
  readonly attributes: Values;
  readonly resource: Values;
  readonly failed: boolean;
}

/** A collector that takes spans by OTLP over gRPC on the loopback, and keeps them. */
export async function startCollector(): Promise<{ local: Local; spans: ReceivedSpan[] }> {
  const spans: ReceivedSpan[] = [];
  const handlers = {
    export: (request: unknown) => {
      for (const { resource, scopeSpans } of (request as Request).resourceSpans) {
        const shared = valuesOf(resource.attributes);
        for (const span of scopeSpans.flatMap((scope) => scope.spans)) spans.push(received(span, shared));
      }
      return {};
    },
  };
  return { local: await startLocal([{ service: traceService(), handlers }]), spans };
}

function traceService(): DescService {
  const proto = fromJson(FileDescriptorProtoSchema, file);
  const name = 'opentelemetry.proto.collector.trace.v1.TraceService';
  const service = createFileRegistry(proto, () => undefined).getService(name);
  if (service === undefined) throw new Error(`no ${name}`);
  return service;
}

function received(span: WireSpan, resource: Values): ReceivedSpan {
  const { traceId, spanId, parentSpanId, traceState, name, kind, attributes, status } = span;
  const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
  return {
    trace: hex(traceId),
    id: hex(spanId),
    parent: hex(parentSpanId),
    traceState,
    name,
    kind: kind === 2 ? 'server' : kind === 3 ? 'client' : kind,
    attributes: valuesOf(attributes),
    resource,
    failed: status?.code === 2,
  };
}

function valuesOf(attributes: readonly Attribute[]): Values {
  return Object.fromEntries(
    attributes.map(({ key, value }) => [key, value.stringValue || Number(value.intValue)]),
  );
}
