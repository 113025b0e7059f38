import type { Egress } from '../access/egress.ts';
import type { Mesh } from '../scope/mesh-construct.ts';
import { collectorHost, collectorPort } from '../telemetry/tracing.ts';

/**
 * What a workload's proxy leads it to beside what it calls: the API server of its cluster, and the collector of traces.
 * @param api - hosts of the API server. @default - it may not call it
 */
export function othersCalled(
  api: readonly string[] = [],
  { platform, tracing }: Pick<Mesh, 'platform' | 'tracing'>,
): readonly Egress[] {
  // Plain JavaScript may leave it out, which is a problem of the mesh.
  const collector = tracing?.collector;
  const collectors = collector === undefined ? [] : [collector];
  return [
    ...api.map((host) => ({ host, ports: [{ number: 443, kind: 'TLS' as const }] })),
    ...collectors.map((one) => ({
      host: collectorHost(platform, one),
      ports: [{ number: collectorPort(one), kind: 'HTTP' as const }],
    })),
  ];
}
