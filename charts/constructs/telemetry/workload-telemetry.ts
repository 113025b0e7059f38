import type { DescMethod } from '@bufbuild/protobuf';
import { isExisting, type AnyPlatform } from '../scope/platform.ts';
import type { Metadata, Projection } from '../scope/projection.ts';
import type { WorkloadTracing } from '../scope/tracing.ts';
import { methodStats } from './method-stats.ts';
import { workloadTracing } from './tracing.ts';

/** What is counted and traced of a workload beside what is of all. */
interface Told {
  /** Path of its construct. */
  readonly where: string;
  readonly platform: AnyPlatform;
  /** Its share of traces; the mesh's where there is none. */
  readonly tracing: WorkloadTracing | undefined;
  readonly served: readonly DescMethod[];
  readonly called: readonly DescMethod[];
}

/**
 * Adds what the proxies beside a workload count by method, and its share of traces.
 * @param labels - of its pods
 */
export function addTelemetry(
  into: Projection,
  metadata: Metadata,
  labels: Readonly<Record<string, string>>,
  { where, platform, tracing, served, called }: Told,
): void {
  if (served.length + called.length > 0)
    into.addIstio('40-services', where, 'EnvoyFilter', metadata, methodStats(labels, served, called));
  if (tracing === undefined || isExisting(platform)) return;
  into.addIstio('40-services', where, 'Telemetry', metadata, workloadTracing(labels, tracing));
}
