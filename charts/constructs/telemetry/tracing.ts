import { keysOf, unknownKeys } from '../../../core/keys.ts';
import { isDnsLabel } from '../../../core/names.ts';
import type { Problem } from '../../../core/problem.ts';
import type { IstioSpec } from '../../model/istio-models.ts';
import { controlPlaneNamespace } from '../scope/names.ts';
import { isExisting, type AnyPlatform } from '../scope/platform.ts';
import type { Tracing, WorkloadTracing } from '../scope/tracing.ts';

/** Name of the tracing provider in meshConfig. */
const provider = 'otel-collector';

const defaultPort = 4317;
const defaultSamplingPercent = 1;

/**
 * The part of meshConfig that names the collector
 * (https://istio.io/latest/docs/tasks/observability/distributed-tracing/opentelemetry/). It is the host as our own
 * ServiceEntry declares it: istiod need not see the namespace of the collector.
 */
export function extensionProviders({ collector }: Tracing): readonly object[] {
  return [
    {
      name: provider,
      opentelemetry: {
        service: `${controlPlaneNamespace}/${collector.host}`,
        port: collectorPort(collector),
      },
    },
  ];
}

/**
 * What a proxy must know of to send spans, as an egress host of its Sidecar: `namespace/host`. On an Istio of others it is theirs,
 * in whatever namespace, as their mesh configuration names it.
 */
export function collectorHost(platform: AnyPlatform, { host }: Tracing['collector']): string {
  return `${isExisting(platform) ? '*' : controlPlaneNamespace}/${host}`;
}

/** The port that the collector takes spans at. */
export function collectorPort({ port = defaultPort }: Tracing['collector']): number {
  return port;
}

/** A ServiceEntry body for the collector. A service outside the mesh is spoken to without mutual TLS. */
export function collectorEntry({
  host,
  port = defaultPort,
}: Tracing['collector']): IstioSpec<'ServiceEntry'> {
  return {
    hosts: [host],
    location: 'MESH_EXTERNAL',
    resolution: 'DNS',
    ports: [{ number: port, name: 'grpc-otlp', protocol: 'GRPC' }],
  };
}

/** A Telemetry body, without a selector: access logs, and traces where the mesh has a collector. */
export function meshTelemetry(tracing: Tracing | undefined): IstioSpec<'Telemetry'> {
  return {
    accessLogging: [{ providers: [{ name: 'envoy' }] }],
    ...(tracing === undefined ? {} : { tracing: meshTracing(tracing) }),
  };
}

/**
 * The tracing part of the mesh-wide Telemetry. Envoy tags a span with the request's URL as it is; the tag is given
 * again without the query, where a secret may be (proxies of Istio 1.29 and later).
 */
function meshTracing({
  samplingPercent = defaultSamplingPercent,
}: Tracing): NonNullable<IstioSpec<'Telemetry'>['tracing']> {
  return [
    {
      providers: [{ name: provider }],
      randomSamplingPercentage: samplingPercent,
      customTags: {
        'http.url': { formatter: { value: '%REQ(:SCHEME)%://%REQ(:AUTHORITY)%%PATH(NQ)%' } },
      },
    },
  ];
}

/** A Telemetry body with the sampling of one workload; the rest it has from the mesh. */
export function workloadTracing(
  matchLabels: Readonly<Record<string, string>>,
  { samplingPercent }: WorkloadTracing,
): IstioSpec<'Telemetry'> {
  return { selector: { matchLabels }, tracing: [{ randomSamplingPercentage: samplingPercent }] };
}

const tracingKeys = keysOf<Tracing>({ collector: true, samplingPercent: true });
const collectorKeys = keysOf<Tracing['collector']>({ host: true, port: true });
const workloadKeys = keysOf<WorkloadTracing>({ samplingPercent: true });

/** What is wrong with a mesh's tracing. */
export function tracingProblems(
  mesh: string,
  tracing: Tracing,
  namespaces: readonly string[],
): readonly Problem[] {
  const where = `${mesh}: tracing`;
  const { collector, samplingPercent } = tracing;
  const problems: Problem[] = [
    ...unknownKeys(where, tracing, tracingKeys),
    ...unknownKeys(`${where}.collector`, collector, collectorKeys),
  ];
  // Plain JavaScript may leave anything out.
  const { host, port = defaultPort } = (collector as Tracing['collector'] | undefined) ?? { host: undefined };
  if (typeof host !== 'string' || !isFullName(host)) {
    problems.push({
      where: `${where}.collector.host`,
      what: 'is not a fully qualified DNS name',
      received: host,
      allowed: 'a name such as otel-collector.observability.svc.cluster.local',
    });
  } else {
    const [, namespace = ''] = /^[^.]+\.([^.]+)\.svc\.cluster\.local$/.exec(host) ?? [];
    if (namespaces.includes(namespace)) {
      problems.push({
        where: `${where}.collector.host`,
        what: `is in namespace ${namespace} of the mesh, where pods accept only declared callers, over mutual TLS`,
        received: host,
        fix: 'run the collector in a namespace that is not declared in the mesh',
      });
    }
  }
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    const allowed = 'a whole number from 1 to 65535';
    problems.push({ where: `${where}.collector.port`, what: 'is not a port', received: port, allowed });
  }
  return [...problems, ...samplingProblems(where, samplingPercent ?? defaultSamplingPercent)];
}

/** What is wrong with a workload's tracing. */
export function workloadTracingProblems(
  workload: string,
  tracing: WorkloadTracing,
  ofMesh: Tracing | undefined,
): readonly Problem[] {
  const where = `${workload}: tracing`;
  const unsent: readonly Problem[] =
    ofMesh === undefined
      ? [{ where, what: 'the mesh has no tracing', fix: 'give the mesh a collector: tracing: { collector }' }]
      : [];
  const unknown = unknownKeys(where, tracing, workloadKeys);
  return [...unsent, ...unknown, ...samplingProblems(where, tracing.samplingPercent)];
}

function samplingProblems(where: string, percent: unknown): readonly Problem[] {
  if (typeof percent === 'number' && percent >= 0 && percent <= 100) return [];
  const allowed = 'a number from 0 to 100';
  return [{ where: `${where}.samplingPercent`, what: 'is not a percentage', received: percent, allowed }];
}

/** Two labels or more: a short name would mean another host in each namespace. */
function isFullName(host: string): boolean {
  const labels = host.split('.');
  // `name.namespace` and `name.namespace.svc` are Kubernetes' own short forms.
  return (
    host.length <= 253 && labels.length >= 2 && !/^[^.]+\.[^.]+\.svc$/.test(host) && labels.every(isDnsLabel)
  );
}
